"""Weights to files and back; transformers opens ours, and we open theirs."""

import os
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from shared.book import write_tensors
from shared.model import GPT, load_model, load_pretrained, save_model
from shared.model.weights import to_gpt2
from tests.test_gpt import SMALL, hugging_face, randomized, seeded

IDS = torch.randint(50, (2, 9), generator=seeded(5))


@pytest.mark.parametrize("change", [{}, {"tied_embeddings": False}, {"qkv_bias": False}])
def test_round_trip(tmp_path, change):
    model = randomized(GPT(replace(SMALL, **change)))
    save_model(model, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert loaded.config == model.config
    assert not any(part.training for part in loaded.modules())
    assert torch.equal(loaded(IDS), model(IDS))
    assert (loaded.lm_head.weight is loaded.wte.weight) == model.config.tied_embeddings
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_transformers_opens_ours(tmp_path):
    model = randomized(GPT(SMALL))
    save_model(model, tmp_path / "model.safetensors")
    empty = hugging_face(SMALL)
    empty.config.save_pretrained(tmp_path)
    theirs = type(empty).from_pretrained(tmp_path).eval()
    assert (theirs(IDS).logits - model(IDS)).abs().max() < 1e-4


def test_we_open_what_transformers_saves(tmp_path):
    theirs = randomized(hugging_face(SMALL))
    theirs.save_pretrained(tmp_path)
    ours = load_model(tmp_path / "model.safetensors", SMALL)
    assert (theirs(IDS).logits - ours(IDS)).abs().max() < 1e-4


def test_names_are_gpt2s(tmp_path):
    save_model(GPT(SMALL), tmp_path / "m.safetensors")
    weights = load_file(tmp_path / "m.safetensors")
    assert weights["h.1.mlp.c_fc.weight"].shape == (24, 96)
    assert weights["h.0.attn.c_attn.weight"].shape == (24, 72)
    assert {"wte.weight", "wpe.weight", "ln_f.bias"} < weights.keys()
    assert "lm_head.weight" not in weights
    with safe_open(tmp_path / "m.safetensors", "pt") as file:
        assert file.metadata()["format"] == "pt"  # transformers before version 5 asks for it


def damaged(tmp_path, change):
    save_model(GPT(SMALL), tmp_path / "m.safetensors")
    weights = load_file(tmp_path / "m.safetensors")
    change(weights)
    save_file(weights, tmp_path / "m.safetensors")
    return tmp_path / "m.safetensors"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.pop("ln_f.bias"), r"missing \['ln_f.bias'\]"),
        (lambda w: w.update(extra=torch.ones(1)), r"unknown \['extra'\]"),
        (lambda w: w.update({"ln_f.bias": torch.ones(7)}), r"'ln_f.bias': \(\(7,\), \(24,\)\)"),
    ],
)
def test_weights_that_do_not_fit(tmp_path, change, said):
    with pytest.raises(ValueError, match=said):
        load_model(damaged(tmp_path, change), SMALL)


def test_a_head_of_its_own_does_not_fit_tied_embeddings(tmp_path):
    """No configuration is stored here, so that only the weights can tell."""
    model = GPT(replace(SMALL, tied_embeddings=False))
    save_file(to_gpt2(model), tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=r"unknown \['lm_head.weight'\]"):
        load_model(tmp_path / "m.safetensors", SMALL)
    with pytest.raises(ValueError, match=r"missing \['lm_head.weight'\]"):
        load_model(damaged(tmp_path, lambda w: None), replace(SMALL, tied_embeddings=False))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_heads": 4}, "m.safetensors: the file's configuration has n_heads 3, not 4$"),
        ({"tied_embeddings": False}, "has tied_embeddings True, not False$"),
        ({"n_layers": 3, "dropout": 0.1}, "has n_layers 2, not 3, dropout 0.0, not 0.1$"),
    ],
)
def test_a_file_of_another_configuration(tmp_path, change, said):
    save_model(GPT(SMALL), tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=said):
        load_model(tmp_path / "m.safetensors", replace(SMALL, **change))
    assert load_model(tmp_path / "m.safetensors", SMALL).config == SMALL


def test_loading_leaves_the_global_random_stream(tmp_path):
    save_model(GPT(SMALL), tmp_path / "m.safetensors")
    before = torch.get_rng_state()
    load_model(tmp_path / "m.safetensors")
    assert torch.equal(torch.get_rng_state(), before)


def test_what_old_files_repeat(tmp_path):
    """OpenAI's file holds the masks, others the tied head once more."""

    def repeat(weights):
        weights["lm_head.weight"] = weights["wte.weight"].clone()
        weights["h.0.attn.bias"] = torch.ones(1, 1, 16, 16)
        weights["h.0.attn.masked_bias"] = torch.tensor(-1e4)

    load_model(damaged(tmp_path, repeat), SMALL)


def test_no_configuration(tmp_path):
    with pytest.raises(ValueError, match="no configuration"):
        load_model(damaged(tmp_path, lambda weights: None))


@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.999])
def test_truncated_file(tmp_path, part):
    path = tmp_path / "m.safetensors"
    save_model(GPT(SMALL), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError, match=r"m\.safetensors: "):
        load_model(path)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nothing.safetensors")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    save_model(GPT(SMALL), path)
    before = path.read_bytes()

    def disk_full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match="No space"):
        save_model(randomized(GPT(SMALL)), path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["m.safetensors"]


def test_unknown_name():
    with pytest.raises(ValueError, match="no weights for 'gpt5'"):
        load_pretrained("gpt5")


def test_the_readers_own_model(tmp_path, monkeypatch):
    """runs/mine is opened if it is whole; else it is said what is missing or does not fit."""
    from shared.model import weights
    from shared.text import SPECIAL_TOKENS, BPETokenizer

    folder = tmp_path / "runs" / "mine"
    monkeypatch.setattr(weights, "MINE", folder)
    with pytest.raises(
        ValueError, match=r"no model\.safetensors and no vocabulary\.json.*chapter 5"
    ):
        weights.load_tales(mine=True)
    folder.mkdir(parents=True)
    texts = ["one red kite and one blue boat " * 9]
    BPETokenizer.train(texts, 265, SPECIAL_TOKENS).save(folder / "vocabulary.json")
    with pytest.raises(ValueError, match=r"has no model\.safetensors: chapter 5"):
        weights.load_tales(mine=True)
    save_model(GPT(replace(SMALL, vocab_size=264)), folder / "model.safetensors")
    with pytest.raises(ValueError, match="knows 264 tokens, the tokenizer 265"):
        weights.load_tales(mine=True)
    save_model(GPT(replace(SMALL, vocab_size=265)), folder / "model.safetensors")
    model, tokenizer = weights.load_tales(mine=True)
    assert model.config.vocab_size == tokenizer.vocab_size == 265 and not model.training
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="complete"):
        weights.load_tales(mine=True)
    assert weights.load_tales()[0].config.vocab_size == 2048


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(ValueError, match="run is a folder, not a file; in it are nothing"):
        load_model(tmp_path / "run")
    for name in ("model.safetensors", "config.json"):
        (tmp_path / "run" / name).touch()
    with pytest.raises(ValueError, match=r"in it are config\.json, model\.safetensors"):
        load_model(tmp_path / "run")


def test_numbers_that_would_be_rounded(tmp_path):
    """A model in float64 would come back as another; one in bfloat16 or float16 does not."""
    path, model = tmp_path / "m.safetensors", randomized(GPT(SMALL))
    n = len(to_gpt2(model))
    with pytest.raises(ValueError, match=rf"{n} of {n} weights, such as .*, are torch.float64"):
        save_model(model.double(), path)
    assert not path.exists()
    doubled = {name: weight.double() for name, weight in to_gpt2(model).items()}
    doubled["ln_f.bias"] = doubled["ln_f.bias"].half()
    write_tensors(path, {name: weight.contiguous() for name, weight in doubled.items()})
    with pytest.raises(ValueError, match=rf"m\.safetensors: {n - 1} of {n} weights.*float64"):
        load_model(path, SMALL)
    for kind in (torch.bfloat16, torch.float16):
        save_model(model.to(kind), path)
        again = load_model(path)
        for name, weight in model.state_dict().items():
            assert torch.equal(again.state_dict()[name], weight.float())
