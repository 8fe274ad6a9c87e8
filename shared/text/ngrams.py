"""Counting what came next, as derived in chapter 5: the baseline of every language model."""

from collections.abc import Sequence

import torch

Ids = Sequence[Sequence[int]]


def ngram_losses(
    train: Ids, test: Ids, end: int, longest: int = 6, discount: float = 0.75
) -> list[float]:
    """Losses on the test texts, in nats per token, of 1-grams, 2-grams, ... counted in training.

    Interpolated absolute discounting (Ney, Essen and Kneser, 1994): each count gives up `discount`
    to what one token less of context says. Raises ValueError if one of them holds no text.
    """
    if not train or not test:
        raise ValueError(f"{len(train)} texts to count in, {len(test)} to test on: one at least")
    flat, at = [], []
    for ids in [*train, *test]:
        flat += [end] * longest + [*ids, end]
        at += range(len(flat) - len(ids) - 1, len(flat))
    flat, at = torch.tensor(flat), torch.tensor(at)
    V, n_train = int(flat.max()) + 1, sum(len(ids) + 1 for ids in train)
    token, context = flat[at], torch.zeros_like(at)
    probs, losses = torch.full(at.shape, 1 / V), []
    for n in range(1, longest + 1):
        if n > 1:  # the context grows by one token to the left
            context = torch.unique(context * V + flat[at - n + 1], return_inverse=True)[1]
        pairs, pair = torch.unique(context * V + token, return_inverse=True)
        count = torch.bincount(pair[:n_train], minlength=len(pairs))
        total = torch.bincount(context[:n_train], minlength=int(context.max()) + 1)
        kinds = torch.bincount((pairs // V)[count > 0], minlength=len(total))
        own = (count[pair] - discount).clamp(min=0) + discount * kinds[context] * probs
        probs = torch.where(total[context] > 0, own / total[context], probs)
        losses.append(-probs[n_train:].log().mean().item())
    return losses
