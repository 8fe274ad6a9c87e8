"""Greedy generation against a plain loop, row by row."""

from dataclasses import replace

import pytest
import torch

from shared.generate import generate
from shared.gpt import GPT
from tests.test_gpt import SMALL, seeded


def plainly(model, row, n_tokens, end=None):
    row = list(row)
    for _ in range(n_tokens):
        if end is not None and row[-1] == end and len(row) > 3:
            break
        row.append(int(model(torch.tensor([row[-16:]]))[0, -1].argmax()))
    return row


@pytest.fixture(scope="module")
def model():
    """Without ties and large biases, or it would go on repeating a token."""
    return GPT(replace(SMALL, tied_embeddings=False), seeded()).eval()


def test_rows_are_continued_as_each_alone(model):
    ids = torch.randint(50, (5, 3), generator=seeded(4))
    rows = generate(model, ids, 30)  # beyond the context of 16
    assert rows.shape == (5, 33) and torch.equal(rows[:, :3], ids)
    assert rows.tolist() == [plainly(model, row, 30) for row in ids.tolist()]
    assert len(rows[:, 3:].unique()) > 10


def test_each_row_ends_by_itself(model):
    ids = torch.randint(50, (5, 3), generator=seeded(4))
    free = generate(model, ids, 12)
    end = int(free[0, 6])  # a token that row 0 comes to, and not all of the others
    rows = generate(model, ids, 12, end)
    lengths = set()
    for row, start in zip(rows.tolist(), ids.tolist(), strict=True):
        plain = plainly(model, start, 12, end)
        assert row[: len(plain)] == plain and set(row[len(plain) :]) <= {end}
        lengths.add(len(plain))
    assert len(lengths) > 1
    alone = generate(model, ids[:1], 12, end)
    assert alone.shape[1] <= 7 and alone[0, -1] == end


def test_dropout_is_off():
    model = GPT(replace(SMALL, dropout=0.5, tied_embeddings=False), seeded())
    ids = torch.tensor([[1, 2, 3]])
    expected = generate(model, ids, 10)
    assert all(torch.equal(generate(model.train(), ids, 10), expected) for _ in range(3))


def test_nothing_to_do_and_modes(model):
    ids = torch.tensor([[1, 2, 3]])
    assert torch.equal(generate(model, ids, 0), ids)
    for training in (True, False):
        model.train(training)
        generate(model, ids, 2)
        assert model.training == training
    model.eval()


def test_no_gradients_are_kept(model):
    seen = []
    hook = model.lm_head.register_forward_hook(lambda *_: seen.append(torch.is_grad_enabled()))
    generate(model, torch.tensor([[1, 2, 3]]), 2)
    hook.remove()
    assert seen == [False, False]


def test_mode_is_restored_after_an_error(model):
    model.train()
    with pytest.raises(ValueError, match="vocabulary"):
        generate(model, torch.tensor([[99]]), 2)
    assert model.training
    model.eval()
