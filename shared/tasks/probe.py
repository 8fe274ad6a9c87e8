"""Probing, as derived in appendix B: what can be read off the vectors inside a model.

Shapes: N texts, C = d_model, L blocks, V vocabulary.
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
def last_vectors(model: GPT, rows: Sequence[Sequence[int]]) -> Tensor:
    """The vectors of each row's last token: after embedding and each block.  (L + 1, N, C)"""
    vectors = []
    with evaluating(model):
        for ids in rows:
            x = model.wte(torch.tensor([ids])) + model.wpe.weight[: len(ids)]  # (1, T, C)
            layers = [x[0, -1]]
            for block in model.h:
                x = block(x)
                layers.append(x[0, -1])
            vectors.append(torch.stack(layers))
    return torch.stack(vectors, dim=1)


def words_in(rows: Sequence[Sequence[int]], V: int) -> Tensor:
    """Which tokens occur, in any order: what a text gives away without any model.  (N, V)"""
    return torch.stack([torch.bincount(torch.tensor(ids), minlength=V) > 0 for ids in rows])


def with_ones(x: Tensor) -> Tensor:
    """A column of ones more, so that a linear map has a bias.  (N, C) -> (N, C + 1)"""
    return torch.cat([x, torch.ones(len(x), 1)], dim=1).double()


def probe(x: Tensor, labels: Sequence[str], x_test: Tensor, labels_test: Sequence[str]) -> float:
    """The share of test labels that a linear map of x, (N, C), gets right; a least-squares fit.

    Raises ValueError if vectors and labels are not as many.
    """
    if len(x) != len(labels) or len(x_test) != len(labels_test):
        pairs = (len(x), len(labels)), (len(x_test), len(labels_test))
        raise ValueError(f"vectors and labels, to fit and to test: {pairs}")
    names, x = sorted({*labels}), with_ones(x)
    y = torch.tensor([[label == name for name in names] for label in labels])
    small = torch.eye(x.shape[1])  # keeps weights small that the examples leave open
    weights = torch.linalg.solve(x.T @ x + small, x.T @ y.double())
    told = (with_ones(x_test) @ weights).argmax(dim=1).tolist()
    right = [names[i] == label for i, label in zip(told, labels_test, strict=True)]
    return sum(right) / len(right)
