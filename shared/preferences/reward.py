"""A reward model: a number for each continuation, learned from comparisons.

Shapes: B rows, T tokens of the longest, C = d_model.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared.model import GPT
from shared.model.cache import pad
from shared.preferences.sampling import frozen


def bradley_terry_loss(chosen: Tensor, rejected: Tensor) -> Tensor:
    """-log P(the chosen one wins), by the rewards of both, in nats.  (B,), (B,)"""
    return -F.logsigmoid(chosen - rejected).mean()


@torch.no_grad()
def read_features(
    gpt: GPT, rows: Sequence[Sequence[int]], starts: Sequence[int], cue: Sequence[int]
) -> Tensor:
    """The sum of a continuation's token vectors, and the last vector behind it.  -> (B, 2 C)

    The last vector is that of a cue, which is read after each row.
    """
    words = [
        gpt.wte.weight[row[start:]].sum(dim=0) for row, start in zip(rows, starts, strict=True)
    ]
    ids, lengths = pad([[*row, *cue] for row in rows], gpt.wte.weight.device)
    last = gpt.hidden(ids)[range(len(rows)), lengths - 1]
    return torch.cat([torch.stack(words), last], dim=1)


class RewardModel(nn.Module):
    """A head on a frozen GPT's features, which turns each continuation into a number.

    It begins with zeros: at first all continuations are equally good.
    """

    def __init__(self, gpt: GPT, cue: Sequence[int]):
        super().__init__()
        self.gpt, self.cue = frozen(gpt), [*cue]
        n = 2 * gpt.config.d_model
        self.norm = nn.BatchNorm1d(n, affine=False, momentum=None)
        self.head = nn.Linear(n, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def features(self, rows: Sequence[Sequence[int]], starts: Sequence[int]) -> Tensor:
        """What the head reads; it never changes, so it can be kept.  -> (B, 2 C)"""
        return read_features(self.gpt, rows, starts, self.cue)

    def forward(self, features: Tensor) -> Tensor:
        """The reward of each continuation.  (B, 2 C) -> (B,)"""
        return self.head(self.norm(features))[:, 0]
