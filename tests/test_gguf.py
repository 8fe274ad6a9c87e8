"""The file for llama.cpp, read by the `gguf` package, and by llama.cpp itself where it is."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from shared.model import (
    CHECKPOINTS,
    GPT,
    MODEL,
    TOKENIZER,
    KVCache,
    generate,
    load_tales,
    next_logits,
    save_model,
)
from shared.model.export import CHAT_TEMPLATE
from shared.practice.gguf import gguf_name, q8_bytes, value_bytes, write_gguf
from shared.text import END_OF_TEXT, BPETokenizer
from shared.world import stories
from tests.notebooks import ROOT
from tests.serving import CONFIG, small_model
from tests.serving import TOKENIZER as SMALL
from tests.test_gpt import randomized, seeded

gguf = pytest.importorskip("gguf")


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def model(request):
    return randomized(GPT(replace(CONFIG, tied_embeddings=request.param)))


def read(path) -> tuple[dict, dict]:
    """The notes and the tensors in a file, as others read them."""
    found = gguf.GGUFReader(path)
    tensors = {}
    for tensor in found.tensors:
        weights = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        tensors[tensor.name] = (tensor.tensor_type, weights.reshape(tensor.shape[::-1].tolist()))
    return {field.name: field.contents() for field in found.fields.values()}, tensors


def test_every_weight_by_name_shape_and_value(model, tmp_path):
    write_gguf(model, SMALL, tmp_path / "a.gguf")
    _, found = read(tmp_path / "a.gguf")
    known = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT2, CONFIG.n_layers)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and model.config.tied_embeddings:
            assert "output.weight" not in found
            continue
        theirs = known.get_name(f"transformer.{name}", try_suffixes=(".weight", ".bias"))
        theirs = theirs or known.get_name(name, try_suffixes=(".weight",))
        kind, weights = found.pop(theirs)
        assert theirs == gguf_name(name) and kind == gguf.GGMLQuantizationType.F32
        assert np.array_equal(weights, weight.numpy()) and weights.shape == tuple(weight.shape)
    assert not found


def test_tensors_that_fill_no_whole_block(tmp_path):
    """Each begins at a multiple of 32 bytes, also behind one that ends elsewhere."""
    model = randomized(GPT(replace(CONFIG, d_model=3 * CONFIG.n_heads)))
    write_gguf(model, SMALL, tmp_path / "a.gguf")
    _, found = read(tmp_path / "a.gguf")
    assert any(weights.nbytes % 32 for _, weights in found.values())
    for name, weight in model.state_dict().items():
        if name != "lm_head.weight" or not model.config.tied_embeddings:
            assert np.array_equal(found[gguf_name(name)][1], weight.numpy())
    offsets = [tensor.data_offset for tensor in gguf.GGUFReader(tmp_path / "a.gguf").tensors]
    assert not any(offset % 32 for offset in offsets)


def test_what_is_said_of_model_and_tokenizer(model, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    write_gguf(model, SMALL, folder / "a.gguf")
    found, _ = read(folder / "a.gguf")
    keys, end = gguf.Keys, SMALL.special_tokens[END_OF_TEXT]
    of_model = {
        keys.LLM.CONTEXT_LENGTH: 64, keys.LLM.EMBEDDING_LENGTH: 24, keys.LLM.BLOCK_COUNT: 2,
        keys.LLM.FEED_FORWARD_LENGTH: 96, keys.Attention.HEAD_COUNT: 3,
        keys.Attention.LAYERNORM_EPS: pytest.approx(1e-5),
    }  # fmt: skip
    expected = {key.format(arch="gpt2"): value for key, value in of_model.items()} | {
        keys.General.ARCHITECTURE: "gpt2", keys.General.NAME: "mine",
        keys.Tokenizer.MODEL: "gpt2", keys.Tokenizer.PRE: "gpt-2", keys.Tokenizer.BOS_ID: end,
        keys.Tokenizer.EOS_ID: end, keys.Tokenizer.ADD_BOS: False,
        keys.Tokenizer.EOT_ID: SMALL.special_tokens["<|end|>"],
        keys.Tokenizer.CHAT_TEMPLATE: CHAT_TEMPLATE,
    }  # fmt: skip
    assert {key: found.get(key) for key in expected} == expected
    kinds = found[keys.Tokenizer.TOKEN_TYPE]
    control = [i for i, kind in enumerate(kinds) if kind == gguf.TokenType.CONTROL]
    assert control == sorted(SMALL.special_tokens.values())
    assert len(kinds) == SMALL.vocab_size and {*kinds} == {1, 3}


def test_the_tokens_cut_as_ours_do(tmp_path):
    """Tokens and merges of the file, put into the `tokenizers` library."""
    tokenizers = pytest.importorskip("tokenizers")
    ours = BPETokenizer.train([story.text for story in stories(100)], 400, ("<|endoftext|>",))
    model = randomized(GPT(replace(CONFIG, vocab_size=400)))
    write_gguf(model, ours, tmp_path / "a.gguf")
    found, _ = read(tmp_path / "a.gguf")
    vocabulary = {token: i for i, token in enumerate(found["tokenizer.ggml.tokens"])}
    merges = [tuple(pair.split(" ")) for pair in found["tokenizer.ggml.merges"]]
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, merges))
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    for text in (stories(1, seed=5)[0].text, "  naïve — Ελλάδα 🙂\n\n\tIt's 3.14"):
        assert theirs.encode(text).ids == ours.encode(text)
    assert vocabulary["<|endoftext|>"] == 399 and "tokenizer.chat_template" not in found


def test_eight_bits_as_llama_cpp_rounds():
    weight = torch.randn(6, 64, generator=seeded()).numpy() * 3
    weight[2, :32] = 0
    weight[3, :5] = [127, 0.5, 1.5, -0.5, 2.5]  # steps of 1: halves
    theirs = gguf.quants.quantize(weight, gguf.GGMLQuantizationType.Q8_0)
    assert q8_bytes(weight) == theirs.tobytes()


def test_a_file_of_eight_bits(tmp_path):
    model = randomized(GPT(replace(CONFIG, d_model=32, n_heads=2)))
    write_gguf(model, SMALL, tmp_path / "a.gguf", q8=True)
    write_gguf(model, SMALL, tmp_path / "b.gguf")
    _, found = read(tmp_path / "a.gguf")
    _, exact = read(tmp_path / "b.gguf")
    for name, (kind, weights) in found.items():
        small = weights.ndim == 2 and name != "position_embd.weight"
        assert kind == (gguf.GGMLQuantizationType.Q8_0 if small else 0)
        largest = abs(exact[name][1]).max()
        assert abs(weights - exact[name][1]).max() <= (largest / 250 if small else 0)
    sizes = [(tmp_path / name).stat().st_size for name in ("a.gguf", "b.gguf")]
    assert sizes[0] < 0.5 * sizes[1]


def test_values_that_llama_cpp_would_not_take():
    with pytest.raises(KeyError):
        value_bytes(None)
    with pytest.raises(ValueError, match="qkv_bias"):
        write_gguf(GPT(replace(CONFIG, qkv_bias=False)), SMALL, "a.gguf")


def test_the_command(tmp_path):
    save_model(small_model(), tmp_path / MODEL)
    SMALL.save(tmp_path / TOKENIZER)
    command = [sys.executable, "-m", "shared.practice.gguf"]
    ran = subprocess.run([*command, tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert (
        ran.returncode == 0 and read(tmp_path / "model.gguf")[0]["general.architecture"] == "gpt2"
    )
    ran = subprocess.run([*command, tmp_path, "--q4"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 1 and "which folder" in ran.stderr


def test_llama_cpp_writes_the_same(tmp_path):
    """The shipped model: the likeliest tokens, and their probabilities."""
    reason = "xllamacpp is not here: it brings llama.cpp, 100 MB"
    llama = pytest.importorskip("xllamacpp", reason=reason)
    model, tokenizer = load_tales()
    write_gguf(model, tokenizer, tmp_path / "a.gguf")
    options = llama.CommonParams()
    options.model.path, options.n_ctx, options.n_parallel = str(tmp_path / "a.gguf"), 256, 1
    options.warmup, options.cpuparams.n_threads, options.cpuparams_batch.n_threads = False, 1, 1
    server = llama.Server(options)
    for story in stories(3, seed=6):
        text = END_OF_TEXT + story.text[:40]
        asked = {"prompt": text, "n_predict": 30, "temperature": 0, "n_probs": 1}
        found = server.handle_completions(asked)["choices"][0]
        ids = tokenizer.encode(text, allowed_special="all")
        row = generate(model, [ids], 30)[0]
        end = len(ids) + found["logprobs"]["content"].__len__()
        assert [token["id"] for token in found["logprobs"]["content"]] == row[len(ids) : end]
        first = next_logits(model, [ids], KVCache(model, 1, 256)).log_softmax(-1).max()
        assert abs(found["logprobs"]["content"][0]["logprob"] - float(first)) < 1e-3
    assert (CHECKPOINTS / MODEL).stat().st_size < (tmp_path / "a.gguf").stat().st_size
