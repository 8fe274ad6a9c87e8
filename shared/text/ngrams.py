"""Counting what came next, as derived in chapter 5: the baseline of every language model."""

from collections.abc import Sequence

import torch
from torch import Tensor

Ids = Sequence[Sequence[int]]


def in_a_row(texts: Ids, end: int, longest: int) -> tuple[Tensor, Tensor]:
    """All texts as one row of tokens, (N,), and the places of those to be guessed, (M,).

    Before each text stand as many `end`s as the longest context looks back; `end` closes it.
    """
    row, places = [], []
    for ids in texts:
        row += [end] * longest + [*ids, end]
        places += range(len(row) - len(ids) - 1, len(row))
    return torch.tensor(row), torch.tensor(places)


def ngram_losses(
    train: Ids, test: Ids, end: int, longest: int = 6, discount: float = 0.75
) -> list[float]:
    """Loss on the test texts, in nats per token, of 1-grams, 2-grams, ... counted in training.

    Each count gives up `discount` to what a shorter context says (Ney, Essen and Kneser, 1994).
    """
    row, at = in_a_row([*train, *test], end, longest)
    n_train, V = sum(len(ids) + 1 for ids in train), int(row.max()) + 1
    context, losses = torch.zeros_like(at), []
    probs = torch.full(at.shape, 1 / V)
    for n in range(1, longest + 1):
        if n > 1:  # one token more to the left: number all contexts anew
            longer = context * V + row[at - n + 1]
            context = torch.unique(longer, return_inverse=True)[1]
        pairs, pair = torch.unique(context * V + row[at], return_inverse=True)
        times = torch.bincount(pair[:n_train], minlength=len(pairs))
        total = torch.bincount(context[:n_train], minlength=len(pairs))
        kinds = torch.bincount((pairs // V)[times > 0], minlength=len(pairs))
        kept = (times[pair] - discount).clamp(min=0)
        seen = (kept + discount * kinds[context] * probs) / total[context]
        probs = torch.where(total[context] > 0, seen, probs)
        losses.append(-probs[n_train:].log().mean().item())
    return losses
