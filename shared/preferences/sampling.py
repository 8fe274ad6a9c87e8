"""Sampling with log-probabilities, log-probabilities of texts, and the frozen reference model.

A row is a prompt with its continuation, as ids; `starts` says where the continuations begin.
Shapes: B rows, T tokens of the longest, V vocabulary.
"""

from collections.abc import Collection, Sequence
from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor

from shared.model import GPT, KVCache, evaluating, next_logits
from shared.model.cache import pad

AT_ONCE = 96  # rows: the keys and values of more would not stay in the processor's cache


class Sampled(NamedTuple):
    """Rows, where their continuations begin, and each continuation's log-probability (B,)."""

    rows: list[list[int]]
    starts: list[int]
    log_probs: Tensor

    @property
    def continuations(self) -> list[list[int]]:
        return [row[start:] for row, start in zip(self.rows, self.starts, strict=True)]


def sample(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    stops: Collection[int],
    n_stops: int = 1,
    n_tokens: int = 60,
    generator: torch.Generator | None = None,
) -> Sampled:
    """Continue each prompt at temperature 1 up to its n-th stop token, or for n_tokens.

    Raises ValueError on an empty prompt, or if a row would not fit into the context.
    """
    starts = [len(prompt) for prompt in prompts]
    check_room(starts, n_tokens, model.config.context_length)
    rows, log_probs = [[*prompt] for prompt in prompts], torch.zeros(len(prompts))
    with evaluating(model):
        for first in range(0, len(rows), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            done = Done(stops, n_stops, starts[some])
            log_probs[some] = write(model, rows[some], done, n_tokens, generator)
    return Sampled(rows, starts, log_probs)


class Done(NamedTuple):
    """When a continuation is complete: after its n-th stop token."""

    stops: Collection[int]
    n_stops: int
    starts: Sequence[int]

    def __call__(self, i: int, row: Sequence[int]) -> bool:
        return sum(token in self.stops for token in row[self.starts[i] :]) >= self.n_stops


@torch.no_grad()
def write(model: GPT, rows: list[list[int]], done: Done, n_tokens: int, generator) -> Tensor:
    """Add tokens to the rows until they are done; the log-probability of what was added.  (B,)"""
    writing, log_probs = [*range(len(rows))], torch.zeros(len(rows))
    cache = KVCache(model, len(rows), max(done.starts) + n_tokens)
    for _ in range(n_tokens):
        logits = next_logits(model, [rows[i] for i in writing], cache).log_softmax(dim=-1).cpu()
        new = torch.multinomial(logits.exp(), 1, generator=generator)
        log_probs[writing] += logits.gather(1, new)[:, 0]
        for i, token in zip(writing, new[:, 0].tolist(), strict=True):
            rows[i].append(token)
        on = [n for n, i in enumerate(writing) if not done(i, rows[i])]
        if not on:
            break
        if len(on) < len(writing):
            cache.keep(on)
        writing = [writing[n] for n in on]
    return log_probs


def check_room(starts: Sequence[int], n_tokens: int, context_length: int) -> None:
    if not starts or min(starts) < 1 or n_tokens < 1:
        raise ValueError(f"prompts of {[*starts]} tokens and {n_tokens} more: at least 1 of each")
    if max(starts) + n_tokens > context_length:
        raise ValueError(
            f"a prompt of {max(starts)} tokens and {n_tokens} more: the context is {context_length}"
        )


def continuation_logits(
    model: GPT, rows: Sequence[Sequence[int]], starts: Sequence[int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Log-probabilities (B, S, V), targets and which count (B, S): the continuations.

    S places: from where the first continuation begins; before, no logits are needed.
    Raises ValueError on a row without a continuation.
    """
    empty = [i for i, (row, n) in enumerate(zip(rows, starts, strict=True)) if not 0 < n < len(row)]
    if empty or not rows:
        raise ValueError(f"rows {empty} of {len(rows)} have no prompt or no continuation")
    ids, lengths = pad(rows, model.wte.weight.device)
    first = min(starts)
    places = torch.arange(first, ids.shape[1])
    counts = (places >= torch.tensor(starts)[:, None]) & (places < lengths[:, None])
    logits = model.lm_head(model.hidden(ids[:, :-1])[:, first - 1 :])
    return logits.log_softmax(dim=-1), ids[:, first:], counts.to(ids.device)


def text_log_probs(model: GPT, rows: Sequence[Sequence[int]], starts: Sequence[int]) -> Tensor:
    """log P(continuation | prompt) of each row, in nats.  -> (B,)"""
    log_probs, targets, counts = continuation_logits(model, rows, starts)
    chosen = log_probs.gather(-1, targets[..., None])[..., 0]  # (B, S)
    return (chosen * counts).sum(dim=1)


def frozen(model: GPT) -> GPT:
    """A copy that does not learn."""
    return deepcopy(model).eval().requires_grad_(False)


def check_reference(model: GPT, reference: GPT) -> None:
    """Raises ValueError unless the reference is frozen, another object, and of the same shape."""
    if learning := [name for name, w in reference.named_parameters() if w.requires_grad]:
        raise ValueError(
            f"the reference is not frozen: {len(learning)} of its weights would learn, the first "
            f"is {learning[0]}; frozen(model) gives a copy that does not"
        )
    if model.config != reference.config:
        raise ValueError(f"the model is {model.config}, the reference {reference.config}")
