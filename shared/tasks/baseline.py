"""What a classifier is measured against, as derived in chapter 6: naive Bayes, and the interval.

Texts come as lists of pieces: words, characters, token ids ...
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence

Text = Sequence[Hashable]


class NaiveBayes:
    """Class probabilities from how often each piece occurs in each class (multinomial)."""

    def __init__(self, texts: Sequence[Text], labels: Sequence[int], alpha: float = 1.0):
        if len(texts) != len(labels) or len({*labels}) < 2:
            raise ValueError(f"{len(texts)} texts, {len(labels)} labels of classes {[*{*labels}]}")
        self.counts = {label: Counter() for label in sorted({*labels})}
        for text, label in zip(texts, labels, strict=True):
            self.counts[label].update(text)
        known, sizes = set().union(*self.counts.values()), Counter(labels)
        self.log_prior = {k: math.log(sizes[k] / len(labels)) for k in self.counts}
        self.log_probs = {}
        for k, count in self.counts.items():
            total = count.total() + alpha * len(known)
            self.log_probs[k] = {w: math.log((count[w] + alpha) / total) for w in known}

    def scores(self, text: Text) -> dict[int, float]:
        """The logarithm of P(class) P(text | class); pieces never met are passed over."""
        return {
            k: self.log_prior[k] + sum(probs.get(piece, 0.0) for piece in text)
            for k, probs in self.log_probs.items()
        }

    def predict(self, texts: Sequence[Text]) -> list[int]:
        """The likeliest class of each text."""
        return [max(scores, key=scores.get) for scores in map(self.scores, texts)]


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Between which shares the true one lies, with 95 % confidence, if `right` of n were counted.

    From Wilson (1927). Raises ValueError unless 0 <= right <= n and n >= 1.
    """
    if not 0 <= right <= n or n < 1:
        raise ValueError(f"{right} of {n} is no share")
    share, shrink = right / n, 1 + z * z / n
    middle = (share + z * z / (2 * n)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return max(0.0, middle - half), min(1.0, middle + half)
