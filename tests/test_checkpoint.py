"""The model that comes with the book: whole, as good as its card says, and open to others."""

import csv
import json
from shutil import copy

import pytest
import torch

from shared.model import CHECKPOINTS, MODEL, Decoding, complete, load_tales
from shared.training import evaluate, rows_and_floor
from shared.training.report import gap
from shared.world import stories, story_quality
from tests.test_gpt import hugging_face

STATED = json.loads((CHECKPOINTS / "card.json").read_text())


@pytest.fixture(scope="module")
def tales():
    return load_tales()


def test_loss_above_the_floor(tales):
    found = gap(*tales, "validation")
    assert found == pytest.approx(STATED["nats_per_token_above_the_floor"], abs=1e-4)
    assert 0 < found < 0.03
    found = gap(*tales, "held_out")
    assert found == pytest.approx(STATED["the_same_on_held_out_pairs"], abs=1e-3)


def test_the_curve_ends_where_the_model_is(tales):
    with (CHECKPOINTS / "curve.csv").open() as file:
        *_, last = csv.DictReader(file)
    rows, _ = rows_and_floor(tales[1], tales[0].config.context_length)
    assert float(last["validation"]) == pytest.approx(evaluate(tales[0], *rows), abs=1e-4)
    assert int(last["step"]) + 1 == int(STATED["settings"][-1]["steps"])


@pytest.mark.slow
def test_story_quality(tales):
    model, bpe = tales
    luck = torch.Generator().manual_seed(STATED["quality"]["seed"])
    n = STATED["quality"]["stories"]
    texts = complete(model, bpe, [""] * n, Decoding(STATED["quality"]["temperature"]), luck)
    shares = story_quality(texts)
    stated = {name: STATED["quality"][name] for name in shares if name != "novel"}
    # with another number of threads a draw falls differently now and then, and a story with it
    assert {name: shares[name] for name in stated} == pytest.approx(stated, abs=0.04)
    assert shares["right"] >= 0.7 and shares["grammatical"] >= 0.9


def test_transformers_opens_it(tales, tmp_path):
    model, bpe = tales
    empty = hugging_face(model.config)
    empty.config.save_pretrained(tmp_path)
    copy(CHECKPOINTS / MODEL, tmp_path / "model.safetensors")
    theirs = type(empty).from_pretrained(tmp_path).eval()
    ids = torch.tensor([bpe.encode(stories(1, seed=3)[0].text)])
    torch.testing.assert_close(theirs(ids).logits, model(ids), atol=1e-4, rtol=0)


def test_small():
    assert sum(path.stat().st_size for path in CHECKPOINTS.iterdir()) < 6_000_000


@pytest.mark.parametrize("name, pronoun", [("Mia", "she"), ("Tom", "he")])
@torch.no_grad()
def test_a_head_looks_back_at_the_name(tales, name, pronoun):
    """What the page with the model asks its readers to find."""
    model, bpe = tales
    text = f"{name} adored {'her' if pronoun == 'she' else 'his'} red kite and took it to the park."
    ids = [bpe.special_tokens["<|endoftext|>"], *bpe.encode(text + " At the park")]
    assert bpe.decode([model(torch.tensor([ids]))[0, -1].argmax().item()]) == f" {pronoun}"
    assert bpe.decode([ids[1]]) == name
    looks, x = [], model.wte(torch.tensor([ids])) + model.wpe.weight[: len(ids)]
    for block in model.h:
        q, k, _ = block.attn.qkv(block.ln_1(x))  # (1, H, T, D)
        scores = q[:, :, -1:] @ k.transpose(-1, -2) / q.shape[-1] ** 0.5  # the last sees all
        looks += scores.softmax(dim=-1)[0, :, 0, 1].tolist()
        x = block(x)
    assert len(looks) == 16 and max(looks) > 0.9 and sum(look < 0.3 for look in looks) >= 10
