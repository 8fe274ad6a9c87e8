"""Direct preference optimization: learning from pairs without a reward model or sampling.

Rafailov et al. (2023), https://arxiv.org/abs/2305.18290. Shapes: B pairs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared.model import GPT
from shared.preferences.pairs import Pair, pair_rows
from shared.preferences.sampling import check_reference, text_log_probs
from shared.text import BPEEncoder


def dpo_loss(
    chosen: Tensor, rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float
) -> Tensor:
    """-log P(the chosen one wins), from log-probabilities of the model and a reference.  (B,)"""
    gain_chosen = chosen - ref_chosen
    gain_rejected = rejected - ref_rejected
    return -F.logsigmoid(beta * (gain_chosen - gain_rejected)).mean()


@dataclass(frozen=True)
class PairStep:
    """What one step saw: its loss, and by how many nats both kinds have become likelier."""

    step: int
    loss: float
    chosen: float
    rejected: float


def learn_from_pairs(
    model: GPT,
    reference: GPT,
    tokenizer: BPEEncoder,
    batches: Sequence[Sequence[Pair]],
    beta: float | None = 0.1,
    lr: float = 2e-4,
) -> Iterator[PairStep]:
    """DPO over batches of pairs, one step each; with beta None fine-tuning on the chosen ones.

    Raises ValueError if the reference is not frozen or has another shape.
    """
    check_reference(model, reference)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    for step, pairs in enumerate(batches):
        rows, starts = pair_rows(pairs, tokenizer)  # all chosen, then all rejected
        with torch.no_grad():
            before = text_log_probs(reference, rows, starts).chunk(2)
        if beta is None:  # the rejected ones are only watched
            half = len(pairs)
            chosen = text_log_probs(model, rows[:half], starts[:half])
            loss, rejected = -chosen.mean() / 25, before[1]
        else:
            chosen, rejected = text_log_probs(model, rows, starts).chunk(2)
            loss = dpo_loss(chosen, rejected, *before, beta)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        gains = (chosen - before[0]).mean().item(), (rejected - before[1]).mean().item()
        yield PairStep(step, loss.item(), *gains)
