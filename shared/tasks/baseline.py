"""What a classifier is measured against, as derived in chapter 6: naive Bayes, and the interval.

Texts come as lists of pieces: words, characters, token ids ...
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence

Text = Sequence[Hashable]


class NaiveBayes:
    """Class probabilities from how often each piece occurs in each class."""

    def __init__(self, texts: Sequence[Text], labels: list[int], alpha=1.0):
        counts = {label: Counter() for label in check_labels(texts, labels)}
        for text, label in zip(texts, labels, strict=True):
            counts[label].update(text)
        known = set().union(*counts.values())
        self.prior, self.shares = {}, {}
        for label, count in counts.items():
            total = count.total() + alpha * len(known)
            shares = {w: math.log((count[w] + alpha) / total) for w in known}
            self.shares[label] = shares
            self.prior[label] = math.log(labels.count(label) / len(labels))

    def scores(self, text: Text) -> dict[int, float]:
        """log P(class) + log P(text | class); new pieces are passed over."""
        return {
            label: self.prior[label] + sum(shares.get(w, 0.0) for w in text)
            for label, shares in self.shares.items()
        }

    def predict(self, texts: Sequence[Text]) -> list[int]:
        """The likeliest class of each text."""
        scores = map(self.scores, texts)
        return [max(score, key=score.get) for score in scores]


def check_labels(texts: Sequence[Text], labels: Sequence[int]) -> list[int]:
    """The classes, in order. Raises ValueError unless there are two, and a label for each text."""
    if len(texts) != len(labels) or len({*labels}) < 2:
        raise ValueError(f"{len(texts)} texts, {len(labels)} labels of classes {[*{*labels}]}")
    return sorted({*labels})


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Where the true share lies, with 95 % confidence.

    From Wilson (1927). Raises ValueError unless 0 <= right <= n and n >= 1.
    """
    if not 0 <= right <= n or n < 1:
        raise ValueError(f"{right} of {n} is no share")
    share, shrink = right / n, 1 + z * z / n
    middle = (share + z * z / (2 * n)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return max(0.0, middle - half), min(1.0, middle + half)
