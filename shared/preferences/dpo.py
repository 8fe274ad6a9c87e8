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
    rejected: float = 0.0  # fine-tuning on the chosen does not look at them


def learn_from_pairs(
    model: GPT,
    reference: GPT,
    tokenizer: BPEEncoder,
    batches: Sequence[Sequence[Pair]],
    beta: float | None = 0.1,
    lr: float = 2e-4,
) -> Iterator[PairStep]:
    """DPO over batches of pairs, one step each; with beta None fine-tuning on the chosen ones.

    The learning rate rises over ten steps, and falls to a tenth.
    Raises ValueError if the reference is not frozen or has another shape.
    """
    check_reference(model, reference)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.0)
    for step, pairs in enumerate(batches):
        falling = 1 - 0.9 * step / len(batches)
        optimizer.param_groups[0]["lr"] = lr * min(1, (step + 1) / 10) * falling
        kinds = 1 if beta is None else 2  # fine-tuning reads the chosen alone
        both = pair_rows(pairs, tokenizer)  # all chosen, then all rejected
        rows, starts = (part[: kinds * len(pairs)] for part in both)
        with torch.no_grad():
            before = text_log_probs(reference, rows, starts).chunk(kinds)
        after = text_log_probs(model, rows, starts).chunk(kinds)
        loss = -after[0].mean() / 25 if beta is None else dpo_loss(*after, *before, beta)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        gains = ((a - b).mean().item() for a, b in zip(after, before, strict=True))
        yield PairStep(step, loss.item(), *gains)
