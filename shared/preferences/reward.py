"""A reward model: a number for each continuation, learned from comparisons.

Shapes: B rows, T tokens of the longest, C = d_model.
"""

import math
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


SURPRISE = math.log(100)  # nats: a token that had less than one percent


@torch.no_grad()
def read_features(
    gpt: GPT, rows: Sequence[Sequence[int]], starts: Sequence[int], cue: Sequence[int]
) -> Tensor:
    """Of each continuation the sum of its token vectors, the last vector, and its surprises.

    The last vector is that of a cue, which is read after each row; surprises are the tokens to
    which the GPT had given less than one percent.  -> (B, 2 C + 1)
    """
    ids, lengths = pad([[*row, *cue] for row in rows], gpt.wte.weight.device)
    hidden, found = gpt.hidden(ids), []
    for i, (row, start) in enumerate(zip(rows, starts, strict=True)):
        own = ids[i, start : len(row)]
        logits = gpt.lm_head(hidden[i, start - 1 : len(row) - 1])
        surprised = F.cross_entropy(logits, own, reduction="none") > SURPRISE
        last = hidden[i, lengths[i] - 1]
        parts = [gpt.wte(own).sum(dim=0), last, surprised.sum()[None]]
        found.append(torch.cat(parts))
    return torch.stack(found)


class RewardModel(nn.Module):
    """A head on a frozen GPT's features, which turns each continuation into a number.

    Each of the three kinds of features counts alike, however many numbers it has.
    It begins with zeros: at first all continuations are equally good.
    """

    def __init__(self, gpt: GPT, cue: Sequence[int]):
        super().__init__()
        self.gpt, self.cue = frozen(gpt), [*cue]
        kinds = torch.tensor([gpt.config.d_model, gpt.config.d_model, 1])
        self.register_buffer("scale", kinds.rsqrt().repeat_interleave(kinds))
        self.norm = nn.BatchNorm1d(len(self.scale), affine=False, momentum=None)
        self.head = nn.Linear(len(self.scale), 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def features(self, rows: Sequence[Sequence[int]], starts: Sequence[int]) -> Tensor:
        """What the head reads; it never changes, so it can be kept.  -> (B, 2 C + 1)"""
        return read_features(self.gpt, rows, starts, self.cue)

    def forward(self, features: Tensor) -> Tensor:
        """The reward of each continuation.  (B, 2 C + 1) -> (B,)"""
        return self.head(self.norm(features) * self.scale)[:, 0]
