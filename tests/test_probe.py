"""Probes, against scikit-learn's ridge classifier and the model's own logits."""

from dataclasses import replace

import pytest
import torch
from sklearn.linear_model import Ridge

from shared.model import GPT
from shared.tasks import last_vectors, least_squares, probe, stream, told_until, words_in
from shared.world import WORLD, stories
from tests.test_gpt import SMALL, seeded


def some(n, seed):
    """Vectors in three clouds that overlap, and the names of the clouds."""
    generator = seeded(seed)
    which = torch.randint(3, (n,), generator=generator)
    x = torch.randn(n, 5, generator=generator) + 1.5 * torch.eye(5)[which]
    return x, ["abc"[i] for i in which]


def test_against_ridge_regression():
    (x, labels), (x_test, labels_test) = some(60, 1), some(400, 2)
    ones = [torch.cat([part, torch.ones(len(part), 1)], dim=1).numpy() for part in (x, x_test)]
    one_hot = [[float(label == name) for name in "abc"] for label in labels]
    told = Ridge(alpha=1.0, fit_intercept=False).fit(ones[0], one_hot).predict(ones[1]).argmax(1)
    expected = sum("abc"[i] == label for i, label in zip(told, labels_test, strict=True)) / 400
    found = probe(x, labels, x_test, labels_test)
    assert found == expected and 0.6 < found < 0.95


def test_least_squares_finds_the_map_that_made_y():
    x, W = torch.randn(500, 4, generator=seeded()).double(), torch.arange(12.0).view(4, 3).double()
    torch.testing.assert_close(least_squares(x, x @ W), W, rtol=0.01, atol=0.05)
    twice = torch.cat([x, x], dim=1)  # no one solution: the small diagonal decides
    torch.testing.assert_close(twice @ least_squares(twice, x @ W), x @ W, rtol=0.01, atol=0.1)


def test_labels_that_follow_from_nothing_are_not_found():
    (x, _), (x_test, _) = some(400, 1), some(400, 2)
    coins = [["ht"[i] for i in torch.randint(2, (400,), generator=seeded(seed))] for seed in (3, 4)]
    assert probe(x, coins[0], x_test, coins[1]) == pytest.approx(0.5, abs=0.1)


def test_a_label_that_was_never_fitted_counts_as_wrong():
    (x, labels), (x_test, _) = some(30, 1), some(10, 2)
    assert probe(x, labels, x_test, ["d"] * 10) == 0
    with pytest.raises(ValueError, match=r"\(30, 29\), \(10, 10\)"):
        probe(x, labels[:-1], x_test, ["a"] * 10)


@torch.no_grad()
def test_the_last_vectors_are_those_before_the_head():
    model = GPT(SMALL, seeded()).eval()
    rows = [[1, 2, 3], [4, 5, 6, 7, 8]]
    vectors = last_vectors(model, rows)
    assert vectors.shape == (SMALL.n_layers + 1, 2, SMALL.d_model)
    for row, first, last in zip(rows, vectors[0], vectors[-1], strict=True):
        logits = model(torch.tensor([row]))[0, -1]
        torch.testing.assert_close(model.lm_head(model.ln_f(last)), logits)
        expected = model.wte.weight[row[-1]] + model.wpe.weight[len(row) - 1]
        torch.testing.assert_close(first, expected)


@torch.no_grad()
def test_the_stream_is_what_the_blocks_hand_on():
    model, rows = GPT(SMALL, seeded()).eval(), [[1, 2, 3, 4], [5, 6, 7, 8]]
    vectors = stream(model, rows)
    assert vectors.shape == (SMALL.n_layers + 1, 2, 4, SMALL.d_model)
    for block, before, after in zip(model.h, vectors, vectors[1:], strict=False):
        torch.testing.assert_close(block(before), after)
    logits = model.lm_head(model.ln_f(vectors[-1]))
    torch.testing.assert_close(logits, model(torch.tensor(rows)))
    assert torch.equal(stream(model, torch.tensor(rows)), vectors)


@torch.no_grad()
def test_the_last_vectors_know_no_dropout():
    model = GPT(replace(SMALL, dropout=0.5), seeded())
    rows = [[1, 2, 3], [4, 5]]
    assert torch.equal(last_vectors(model.train(), rows), last_vectors(model.eval(), rows))
    assert last_vectors(model.train(), rows) is not None and model.training


def test_words_in_any_order_and_number():
    assert words_in([[1, 2, 1], [0]], V=4).tolist() == [
        [False, True, True, False],
        [True, False, False, False],
    ]


def test_stories_up_to_a_part():
    told = told_until(40, seed=3)
    assert told == told_until(40, seed=3) != told_until(40, seed=4)
    for (text, facts), story in zip(told, stories(40, seed=3), strict=True):
        kinds = [name for name, _, end in story.parts if end <= len(text)]
        assert story.text.startswith(text) and text[-1] in '."' and kinds.count("episode") == 1
        assert facts["he"] == ("she" if facts["hero"] in WORLD["lists"]["girls"] else "he")
    assert {facts["he"] for _, facts in told} == {"he", "she"}
    assert all(text.count(".") < 4 for text, _ in told_until(40, 3, "opening"))
    with pytest.raises(ValueError, match="without 'last': it has"):
        told_until(3, 3, "last")
