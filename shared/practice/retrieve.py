"""Finding texts, as derived in chapter 9: by their words (BM25), and by a model's vectors.

Shapes: N texts, C = d_model.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from shared.model import GPT, evaluating
from shared.text import END_OF_TEXT, BPEEncoder


def lower_words(text: str) -> list[str]:
    """The words of a text, in small letters; an 's at the end is a word of its own.

    >>> lower_words("Mia's hat, Mia!")
    ['mia', 's', 'hat', 'mia']
    """
    return re.findall(r"\w+", text.lower())


class BM25:
    """Scores of texts for a query: rare words count more, repeated ones less and less.

    After Robertson and Zaragoza (2009), https://doi.org/10.1561/1500000019.
    Raises ValueError without texts, or on k1 < 0 or b outside 0 ... 1.
    """

    def __init__(self, texts: Sequence[str], k1: float = 1.2, b: float = 0.75):
        if not texts or k1 < 0 or not 0 <= b <= 1:
            raise ValueError(f"{len(texts)} texts, k1={k1}, b={b}")
        counts = [Counter(lower_words(text)) for text in texts]
        mean = sum(c.total() for c in counts) / len(texts) or 1
        self.size, self.places = len(texts), {}  # word: [(text, weight)]
        for n, count in enumerate(counts):
            full = k1 * (1 - b + b * count.total() / mean)
            for word, f in count.items():
                weight = f * (k1 + 1) / (f + full)
                self.places.setdefault(word, []).append((n, weight))

    def rarity(self, word: str) -> float:
        """The word's idf, its inverse document frequency: near 0 if most texts have it."""
        having = len(self.places.get(word, ()))
        return math.log(1 + (self.size - having + 0.5) / (having + 0.5))

    def scores(self, query: str) -> list[float]:
        """One for each text."""
        scores = [0.0] * self.size
        for word in lower_words(query):
            for n, weight in self.places.get(word, ()):
                scores[n] += self.rarity(word) * weight
        return scores


@torch.no_grad()
def embed(model: GPT, tokenizer: BPEEncoder, texts: Sequence[str], batch_size=32) -> Tensor:
    """The mean of the vectors that a model makes of a text's tokens, of length 1.  -> (N, C)

    Raises ValueError on an empty text, or one that does not fit into the context.
    """
    end, room = tokenizer.special_tokens[END_OF_TEXT], model.config.context_length
    rows = [tokenizer.encode_ordinary(text) for text in texts]
    for row, text in zip(rows, texts, strict=True):
        if not 1 <= len(row) < room:
            raise ValueError(f"{len(row)} tokens, the context has {room}: {text!r:.60}")
    found = []
    with evaluating(model):
        for i in range(0, len(rows), batch_size):
            some = rows[i : i + batch_size]
            T = max(map(len, some))
            ids = torch.tensor([[end, *row, *[end] * (T - len(row))] for row in some])
            real = torch.tensor([[0.0] + [1.0] * len(r) + [0.0] * (T - len(r)) for r in some])
            x = model.hidden(ids.to(model.wte.weight.device))  # (B, T + 1, C)
            real = real.to(x.device)[..., None]
            found.append((x * real).sum(dim=1) / real.sum(dim=1))
    return F.normalize(torch.cat(found), dim=-1) if found else torch.empty(0, model.config.d_model)


def best(scores: Sequence[float], k: int) -> list[int]:
    """The k texts with the highest scores, the highest first; of equals the earlier one."""
    return sorted(range(len(scores)), key=lambda n: -scores[n])[:k]


def recall_at(k: int, found: Sequence[Sequence[int]], wanted: Sequence[int]) -> float:
    """The share of queries whose wanted text is among the first k that were found.

    Raises ValueError without queries, on k < 1, or on another number of queries.
    """
    if k < 1 or not wanted or len(found) != len(wanted):
        raise ValueError(f"k={k}, {len(found)} answers to {len(wanted)} queries")
    return sum(w in f[:k] for f, w in zip(found, wanted, strict=True)) / len(wanted)
