"""n-grams against the definition, written down for single tokens."""

import math
from random import Random

import pytest

from shared.text import ngram_losses

END = 5


def by_definition(train, test, n, vocabulary, discount=0.75):
    """The same loss with a dictionary and one token at a time."""

    def padded(ids):
        return [END] * n + [*ids, END]

    def prob(context, token):
        if context is None:
            return 1 / vocabulary
        shorter = prob(context[1:] if context else None, token)
        followers = [
            row[t]
            for row in map(padded, train)
            for t in range(n, len(row))
            if tuple(row[t - len(context) : t]) == context
        ]
        if not followers:
            return shorter
        kept = max(followers.count(token) - discount, 0)
        return (kept + discount * len({*followers}) * shorter) / len(followers)

    costs = [
        -math.log(prob(tuple(row[t - n + 1 : t]), row[t]))
        for row in map(padded, test)
        for t in range(n, len(row))
    ]
    return sum(costs) / len(costs)


@pytest.mark.parametrize("seed", range(3))
def test_the_definition(seed):
    random = Random(seed)
    texts = [[random.randrange(4) for _ in range(random.randrange(1, 9))] for _ in range(12)]
    train, test = texts[:8], [*texts[8:], [4]]  # 4 is never seen in training
    found = ngram_losses(train, test, END, longest=4)
    wanted = [by_definition(train, test, n, vocabulary=6) for n in (1, 2, 3, 4)]
    assert found == pytest.approx(wanted, abs=1e-5)


def test_what_repeats_costs_little():
    texts = [[0, 1, 2, 3, 4]] * 1000
    losses = ngram_losses(texts, texts[:1], END, longest=2)
    assert losses[0] == pytest.approx(math.log(6), abs=1e-3) and losses[1] < 0.01
