"""Policy gradient: what was rewarded becomes likelier, near to a reference that stays as it is.

Williams (1992), https://doi.org/10.1007/BF00992696; group-relative advantages are those of Shao et
al. (2024), https://arxiv.org/abs/2402.03300. Shapes: B rows, T tokens, V vocabulary, G groups.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shared.model import GPT
from shared.preferences.sampling import Sampled, check_reference, continuation_logits


@dataclass(frozen=True)
class Update:
    """What one step saw before it changed the weights: means over its samples."""

    step: int
    reward: float
    kl: float  # nats per continuation
    rewards: Tensor
    sampled: Sampled


@dataclass(frozen=True)
class Tuning:
    """How to improve a model by rewards. Raises ValueError, naming the number, on a bad one."""

    steps: int = 40
    group: int = 8  # continuations of each prompt
    lr: float = 5e-4
    kl_weight: float = 0.1
    most_kl: float = 40.0  # nats per continuation: beyond it the run has lost its way

    def __post_init__(self):
        for name in ("steps", "lr", "most_kl"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it should be above 0")
        if self.group < 2:
            raise ValueError(f"a group of {self.group} has nobody to compare with: at least 2")
        if not self.kl_weight >= 0:
            raise ValueError(f"kl_weight is {self.kl_weight}: it should be at least 0")


def group_advantages(rewards: Tensor) -> Tensor:
    """By how many standard deviations each is better than its group.  (G, n) -> (G, n)"""
    if rewards.dim() != 2 or rewards.shape[1] < 2 or not rewards.isfinite().all():
        raise ValueError(f"rewards {tuple(rewards.shape)}: finite, in groups of at least 2")
    mean = rewards.mean(dim=1, keepdim=True)
    std = rewards.std(dim=1, keepdim=True)
    return (rewards - mean) / (std + 1e-4)


def policy_gradient_loss(log_probs: Tensor, advantages: Tensor) -> Tensor:
    """Its gradient is that of minus the expected reward.  log P of each text (B,), (B,)"""
    return -(advantages.detach() * log_probs).mean()


def token_kl(log_probs: Tensor, reference: Tensor) -> Tensor:
    """KL(model || reference) at each place, in nats, from log-probabilities.  (..., V) -> (...)"""
    return (log_probs.exp() * (log_probs - reference)).sum(dim=-1)


def policy_gradient(
    model: GPT,
    reference: GPT,
    sample_groups: Callable[[GPT, int], Sampled],
    reward: Callable[[Sampled], Sequence[float]],
    tuning: Tuning,
) -> Iterator[Update]:
    """Improve the model, yielding an Update after each step.

    `sample_groups(model, step)` gives rows, each `group` of them for one prompt.
    Raises ValueError if the reference is not frozen or has another shape, FloatingPointError if
    the KL divergence runs away.
    """
    check_reference(model, reference)
    optimizer = torch.optim.AdamW(model.parameters(), lr=tuning.lr, weight_decay=0.0)
    for step in range(tuning.steps):
        sampled = sample_groups(model, step)
        rewards = torch.tensor(reward(sampled), dtype=torch.float32)
        advantages = group_advantages(rewards.view(-1, tuning.group)).flatten()
        log_probs, targets, counts = continuation_logits(model, sampled.rows, sampled.starts)
        with torch.no_grad():
            before, _, _ = continuation_logits(reference, sampled.rows, sampled.starts)
        kl = (token_kl(log_probs, before) * counts).sum(dim=1).mean()  # nats per continuation
        if not kl.item() <= tuning.most_kl:
            raise FloatingPointError(
                f"step {step}: the KL divergence from the reference is {kl.item():.1f} nats per "
                f"continuation, more than {tuning.most_kl}; a larger kl_weight than "
                f"{tuning.kl_weight} or a smaller lr than {tuning.lr} would hold it"
            )
        texts = (log_probs.gather(-1, targets[..., None])[..., 0] * counts).sum(dim=1)
        loss = policy_gradient_loss(texts, advantages) + tuning.kl_weight * kl
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        yield Update(step, rewards.mean().item(), kl.item(), rewards, sampled)
