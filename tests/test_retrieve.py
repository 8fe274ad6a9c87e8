"""BM25 against its formula, word by word, and vectors against one text at a time."""

import math
import random

import pytest
import torch

from shared.model import load_tales
from shared.practice import BM25, best, embed, lower_words, recall_at
from shared.text import END_OF_TEXT
from shared.world import stories

TEXTS = [
    "the red kite",
    "a kite, a kite and the sea",
    "sea",
    "",
    "The sea's end: the end of the sea",
]


def formula(texts, query, n, k1=1.2, b=0.75):
    """Robertson and Zaragoza's sum over the query's words, as it is printed."""
    rows = [lower_words(text) for text in texts]
    mean, total = sum(map(len, rows)) / len(rows), 0.0
    for word in lower_words(query):
        having = sum(word in row for row in rows)
        idf = math.log(1 + (len(rows) - having + 0.5) / (having + 0.5))
        if not (times := rows[n].count(word)):
            continue
        total += idf * times * (k1 + 1) / (times + k1 * (1 - b + b * len(rows[n]) / mean))
    return total


@pytest.mark.parametrize(
    "query", ["kite", "the sea", "Red Kite!", "kite kite", "none", "", "end of the a"]
)
@pytest.mark.parametrize("k1, b", [(1.2, 0.75), (0.0, 0.5), (2.0, 0.0), (1.5, 1.0)])
def test_against_the_formula(query, k1, b):
    found = BM25(TEXTS, k1, b).scores(query)
    assert found == pytest.approx([formula(TEXTS, query, n, k1, b) for n in range(len(TEXTS))])


def test_against_the_formula_on_stories():
    texts = [story.text for story in stories(30)]
    bm25, draw = BM25(texts), random.Random(0)
    for _ in range(20):
        query = " ".join(draw.sample(lower_words(draw.choice(texts)), 5))
        assert bm25.scores(query) == pytest.approx([formula(texts, query, n) for n in range(30)])


def test_a_rare_word_counts_more_and_repetition_less_and_less():
    bm25 = BM25(["a b", "a c", "a d", "a a a a c"])
    assert bm25.rarity("b") > bm25.rarity("c") > bm25.rarity("a") > 0
    one, two, many = (
        BM25([*["x"] * 9, "y " * n + "z " * (9 - n)]).scores("y")[9] for n in (1, 2, 8)
    )
    assert one < two < many and many - two < 6 * (two - one)


@pytest.mark.parametrize("texts, k1, b", [([], 1, 0.5), (["a"], -1, 0.5), (["a"], 1, 1.5)])
def test_what_cannot_be(texts, k1, b):
    with pytest.raises(ValueError, match=f"{len(texts)} texts, k1={k1}, b={b}"):
        BM25(texts, k1, b)


def test_vectors_as_of_each_text_alone():
    model, tokenizer = load_tales()
    texts = [story.text for story in stories(5)] + ["Mia.", "Once"]
    found = embed(model, tokenizer, texts, batch_size=3)
    for text, vector in zip(texts, found, strict=True):
        ids = [tokenizer.special_tokens[END_OF_TEXT], *tokenizer.encode(text)]
        with torch.no_grad():
            mean = model.hidden(torch.tensor([ids]))[0, 1:].mean(dim=0)
        assert (vector - mean / mean.norm()).abs().max() < 1e-5
    assert embed(model, tokenizer, []).shape == (0, 128)
    for text in ("", "word " * 300):
        with pytest.raises(ValueError, match="tokens, the context has 256"):
            embed(model, tokenizer, ["Mia.", text])


def test_best_and_recall():
    assert best([0.1, 3, 2, 3], 3) == [1, 3, 2] and best([1], 5) == [0]
    found = [[2, 0, 1], [1, 2, 0], [0, 1, 2]]
    assert [recall_at(k, found, [0, 0, 0]) for k in (1, 2, 3)] == [1 / 3, 2 / 3, 1]
    for k, rows, wanted in ((0, found, [0, 0, 0]), (1, [], []), (1, found, [0])):
        with pytest.raises(ValueError, match=f"k={k}, {len(rows)} answers to {len(wanted)}"):
            recall_at(k, rows, wanted)
