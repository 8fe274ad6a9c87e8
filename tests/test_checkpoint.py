"""The model that comes with the book: whole, as good as its card says, and open to others."""

import json

import pytest
import torch

from shared.feed import story_rows
from shared.generate import Decoding, complete
from shared.quality import story_quality
from shared.tales import stories
from shared.tokenizer import END_OF_TEXT
from shared.train import evaluate
from shared.weights import CHECKPOINTS, load_tales
from tests.test_gpt import hugging_face

STATED = json.loads((CHECKPOINTS / "card.json").read_text())


@pytest.fixture(scope="module")
def tales():
    return load_tales()


def test_loss_above_the_floor(tales):
    model, bpe = tales
    unseen = [(bpe.encode(s.text), s.log_prob) for s in stories(300, split="validation")]
    unseen = [(ids, log_prob) for ids, log_prob in unseen if len(ids) < 128]
    tokens = sum(len(ids) + 1 for ids, _ in unseen)
    rows = story_rows([ids for ids, _ in unseen], 128, bpe.special_tokens[END_OF_TEXT])
    gap = evaluate(model, *rows) + sum(log_prob for _, log_prob in unseen) / tokens
    assert gap == pytest.approx(STATED["nats_per_token_above_the_floor"], abs=1e-4)
    assert 0 < gap < 0.03


@pytest.mark.slow
def test_story_quality(tales):
    model, bpe = tales
    luck = torch.Generator().manual_seed(STATED["quality"]["seed"])
    n = STATED["quality"]["stories"]
    texts = complete(model, bpe, [""] * n, Decoding(STATED["quality"]["temperature"]), luck)
    shares = story_quality(texts)
    stated = {name: STATED["quality"][name] for name in shares if name != "novel"}
    assert {name: shares[name] for name in stated} == pytest.approx(stated, abs=0.01)
    assert shares["grammatical"] >= 0.99 and min(shares["hero"], shares["thing"]) >= 0.98


def test_transformers_opens_it(tales):
    model, bpe = tales
    ids = torch.tensor([bpe.encode(stories(1, seed=3)[0].text)])
    with torch.no_grad():
        ours, theirs = model(ids), hugging_face(model.config, weights=model)(ids).logits
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def test_small():
    assert sum(path.stat().st_size for path in CHECKPOINTS.iterdir()) < 5_000_000
