"""Probing, as derived in appendix B: what can be read off the vectors inside a model.

Shapes: N texts, C = d_model, L blocks, T tokens, V vocabulary.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from shared.model import GPT, evaluating
from shared.world import WORLD, stories


def told_until(n: int, seed: int, part: str = "episode") -> list[tuple[str, dict[str, str]]]:
    """n Tales up to the end of their first part of a name, and their facts with "he" or "she".

    Raises ValueError if there is no such part in one of them.
    """
    found = []
    for story in stories(n, seed):
        ends = [end for name, _, end in story.parts if name == part]
        if not ends:
            raise ValueError(f"a story without {part!r}: it has {[p[0] for p in story.parts]}")
        he = "she" if story.facts["hero"] in WORLD["lists"]["girls"] else "he"
        found.append((story.text[: ends[0]], story.facts | {"he": he}))
    return found


@torch.no_grad()
def stream(model: GPT, rows: Tensor | Sequence[Sequence[int]]) -> Tensor:
    """All vectors of rows of one length: after embedding and each block.  (L + 1, N, T, C)"""
    ids = torch.as_tensor(rows)  # (N, T)
    with evaluating(model):
        vectors = [model.wte(ids) + model.wpe.weight[: ids.shape[1]]]
        for block in model.h:
            vectors.append(block(vectors[-1]))
    return torch.stack(vectors)


def last_vectors(model: GPT, rows: Sequence[Sequence[int]]) -> Tensor:
    """The vectors of each row's last token; rows of any lengths.  (L + 1, N, C)"""
    return torch.stack([stream(model, [ids])[:, 0, -1] for ids in rows], dim=1)


def words_in(rows: Sequence[Sequence[int]], V: int) -> Tensor:
    """Which tokens occur, in any order: what a text gives away without any model.  (N, V)"""
    return torch.stack([torch.bincount(torch.tensor(ids), minlength=V) > 0 for ids in rows])


def with_ones(x: Tensor) -> Tensor:
    """x and a column of ones, for a bias.  (N, C) -> (N, C + 1)"""
    return torch.cat([x, torch.ones(len(x), 1)], dim=1).double()


def least_squares(x: Tensor, y: Tensor) -> Tensor:
    """The W for which x W is closest to y.  (N, C), (N, K) -> (C, K)"""
    # where the examples don't decide, a small diagonal keeps W near 0
    return torch.linalg.solve(x.T @ x + torch.eye(x.shape[1]), x.T @ y.double())


def probe(x: Tensor, labels: Sequence[str], x_test: Tensor, labels_test: Sequence[str]) -> float:
    """The share of test labels that a linear map of x, (N, C), gets right.

    Raises ValueError if there are not as many labels as vectors.
    """
    if len(x) != len(labels) or len(x_test) != len(labels_test):
        pairs = (len(x), len(labels)), (len(x_test), len(labels_test))
        raise ValueError(f"vectors and labels, to fit and to test: {pairs}")
    names = sorted({*labels})
    y = torch.tensor([[label == name for name in names] for label in labels])
    weights = least_squares(with_ones(x), y)
    told = (with_ones(x_test) @ weights).argmax(dim=1).tolist()
    right = [names[i] == label for i, label in zip(told, labels_test, strict=True)]
    return sum(right) / len(right)
