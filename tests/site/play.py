"""The model in the page, for tests: what it was made from, and PyTorch with the same numbers."""

import base64
import json
from pathlib import Path

import numpy as np
import torch
from page_model import write_model

from shared.model import GPT, GPTConfig, load_model, save_model
from shared.text import END_OF_TEXT, SPECIAL_TOKENS, BPETokenizer
from shared.world import stories
from tests.test_tokenizer import random_texts

STAND_IN = GPTConfig(vocab_size=600, context_length=48, d_model=24, n_heads=3, n_layers=2)
WAIT = 30_000  # ms


def random_model(config: GPTConfig) -> GPT:
    """A model whose numbers are all random and large: nothing about it is symmetrical."""
    model, generator = GPT(config), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            spread = 0.3 if weight.dim() == 1 else 0.2
            weight.normal_("ln" in name and name.endswith("weight"), spread, generator=generator)
    return model


def write_stand_in(folder: Path) -> Path:
    """A small model with its vocabulary and its script."""
    save_model(random_model(STAND_IN), folder / "model.safetensors")
    texts = [story.text for story in stories(200)] + random_texts(1000, seed=2)
    tokenizer = BPETokenizer.train(texts, STAND_IN.vocab_size, SPECIAL_TOKENS)
    tokenizer.save(folder / "vocabulary.json")
    write_model(folder, folder / "model.js")
    return folder


def stored(script: str) -> GPT:
    """A model with the numbers of the page's file, read as that file is documented."""
    text = script.removeprefix("talesModel(").removesuffix(");\n")
    assert len(text) == len(script) - 14
    file = json.loads(text)
    data, at, weights = base64.b64decode(file["data"]), 0, {}
    for name, rows, columns in file["tensors"]:
        floats = np.frombuffer(data, "<f4", rows, at)
        integers = np.frombuffer(data, np.int8, rows * columns, at + 4 * rows)
        weight = floats[:, None] * integers.reshape(rows, columns) if columns else floats
        weights[name], at = torch.tensor(weight), at + 4 * rows + rows * columns
    assert at == len(data)
    model = GPT(GPTConfig(**file["config"], qkv_bias="h.0.attn.c_attn.bias" in weights))
    model.load_state_dict({**weights, "lm_head.weight": weights["wte.weight"]})
    return model.eval()


def route(page, script) -> None:
    """Both of the page's models are this one."""
    page.route("**/*-model.js", lambda route: route.fulfill(path=script))


def load(page):
    """Press the button, and wait until the beginning has been read."""
    page.locator("#lm-write").click()
    page.locator("#lm-inside").wait_for(timeout=WAIT)
    return settle(page)


def settle(page):
    """Wait until the page shows what stands in its box, read by the model."""
    page.wait_for_function(
        "() => settled.then(() => shown.length > 0 && shown.at(-1) === ids.at(-1))", timeout=WAIT
    )
    return page


def in_page(page, script, argument=None):
    """What a function in the page answers, as JSON: many numbers at once."""
    call = f"async x => JSON.stringify(await ({script})(x))"
    return json.loads(page.evaluate(call, argument))


class Loaded:
    """A model in the page, what it was made from, and PyTorch with the same numbers."""

    def __init__(self, page, folder, script):
        self.page = load(page)
        self.tokenizer = BPETokenizer.load(folder / "vocabulary.json")
        self.original, self.stored = load_model(folder / "model.safetensors"), stored(script)
        self.T = self.stored.config.context_length

    def ask(self, script, argument=None):
        return in_page(self.page, script, argument)

    def read(self, ids):
        script = "async ids => { await model.read(ids); return model.logits.map(row => [...row]) }"
        return torch.tensor(self.ask(script, ids))

    def texts(self, n=2, seed=7):
        """Rows of ids that fill the context: stories."""
        end = self.tokenizer.special_tokens[END_OF_TEXT]
        found = [[end, *self.tokenizer.encode(story.text)] for story in stories(2 * n, seed)]
        return [(a + b)[: self.T] for a, b in zip(found[::2], found[1::2], strict=True)]
