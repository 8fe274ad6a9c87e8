"""A folder with a model, opened by transformers: the same ids, the same logits, the same chat."""

import subprocess
import sys

import pytest
import torch

from shared.model import CHECKPOINTS, GPT, GPTConfig, load_tales, save_model
from shared.model.export import byte_letters, export, hf_config
from shared.text import SPECIAL_TOKENS, BPETokenizer
from shared.world import stories
from tests.notebooks import ROOT
from tests.test_gpt import randomized

TEXTS = [
    stories(1, seed=9)[0].text,
    "  two  spaces\n\nand\tlines, 3.14 and 1,000; naïve — Ελλάδα 🙂 e\u0301",
    "",
    "don't I'll we've",
]


@pytest.fixture(scope="module", params=["tied", "untied"])
def folder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    tokenizer = BPETokenizer.train([s.text for s in stories(300)], 400, SPECIAL_TOKENS)
    tokenizer.save(folder / "vocabulary.json")
    config = GPTConfig(400, 24, 12, 3, 2, tied_embeddings=request.param == "tied")
    save_model(randomized(GPT(config)), folder / "model.safetensors")
    subprocess.run([sys.executable, "-m", "shared.model.export", folder], cwd=ROOT, check=True)
    return folder, tokenizer


def test_the_same_ids(folder):
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(folder[0])
    for text in TEXTS:
        ids = folder[1].encode(text)
        assert theirs(text)["input_ids"] == ids
        assert theirs.decode(ids, clean_up_tokenization_spaces=False) == text
    for name, i in folder[1].special_tokens.items():
        assert theirs(f"a{name}b")["input_ids"][1] == i
        assert theirs.decode(theirs(f"a {name} b")["input_ids"]) == f"a {name} b"
    assert theirs.eos_token_id == folder[1].special_tokens["<|endoftext|>"]


def test_the_same_logits(folder):
    transformers = pytest.importorskip("transformers")
    from shared.model import load_model

    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder[0]).eval()
    ours = load_model(folder[0] / "model.safetensors")
    ids = torch.randint(400, (2, 24), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(theirs(ids).logits, ours(ids), atol=1e-5, rtol=1e-5)


def test_the_chat_template(folder):
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(folder[0])
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Go"},
    ]
    text = theirs.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    given = [{"role": "system", "content": "A cat."}, *turns]
    about = theirs.apply_chat_template(given, tokenize=False)
    assert about == "<|user|>A cat.\nHi<|end|><|assistant|>Yes?<|end|><|user|>Go<|end|>"
    assert text == "<|user|>Hi<|end|><|assistant|>Yes?<|end|><|user|>Go<|end|><|assistant|>"


def test_the_pipeline_writes_and_chats(folder):
    """The same words behind a text and in a chat from `pipeline`, which knows nothing of us."""
    transformers = pytest.importorskip("transformers")
    from shared.model import generate, load_model

    ours, tokenizer = load_model(folder[0] / "model.safetensors"), folder[1]
    write = transformers.pipeline("text-generation", model=str(folder[0]))
    options = {"max_new_tokens": 8, "do_sample": False, "return_full_text": False}
    special = tokenizer.special_tokens
    chat = [
        special["<|user|>"],
        *tokenizer.encode("Hi"),
        special["<|end|>"],
        special["<|assistant|>"],
    ]
    for prompt, ids in (
        ("One day", tokenizer.encode("One day")),
        ([{"role": "user", "content": "Hi"}], chat),
    ):
        row = generate(ours, [ids], 8, special["<|endoftext|>"])[0][len(ids) :]
        expected = tokenizer.decode(i for i in row if i not in special.values())
        found = write(prompt, **options)[0]["generated_text"]
        assert found == expected and found


def test_the_shipped_folder_opens_as_it_is():
    transformers = pytest.importorskip("transformers")
    model, tokenizer = load_tales()
    theirs = transformers.AutoModelForCausalLM.from_pretrained(CHECKPOINTS).eval()
    words = transformers.AutoTokenizer.from_pretrained(CHECKPOINTS)
    for story in stories(20, seed=4):
        ids = tokenizer.encode(story.text)
        assert words(story.text)["input_ids"] == ids
    with torch.no_grad():
        mine, other = model(torch.tensor([ids])), theirs(torch.tensor([ids])).logits
    torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)


def test_what_cannot_be_exported(tmp_path):
    with pytest.raises(ValueError, match=r"has no model\.safetensors"):
        export(tmp_path)
    with pytest.raises(ValueError, match="qkv_bias"):
        hf_config(GPTConfig(10, 8, 4, 2, 1, qkv_bias=False), 0)
    ran = subprocess.run(
        [sys.executable, "-m", "shared.model.export"], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 1 and "which folder" in ran.stderr


def test_each_byte_is_written_as_hugging_face_writes_it(folder):
    transformers = pytest.importorskip("transformers")
    from tokenizers import pre_tokenizers

    assert {*byte_letters()} == {*pre_tokenizers.ByteLevel.alphabet()}
    theirs = transformers.AutoTokenizer.from_pretrained(folder[0])
    every = "".join(map(chr, range(32, 0x250))) + "\t\n€😀"  # all bytes that a letter may end in
    assert theirs(every)["input_ids"] == folder[1].encode(every)
