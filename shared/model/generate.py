"""Writing with a model, as derived in chapter 5: probabilities, a token, and the next.

Shapes: B rows, T tokens, V vocabulary.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shared.model.cache import KVCache, next_logits
from shared.model.config import check_logits
from shared.model.gpt import GPT
from shared.text import END_OF_TEXT, BPEEncoder, check_ids


@dataclass(frozen=True)
class Decoding:
    """How the next token is chosen. Raises ValueError, naming the number, on what cannot be."""

    temperature: float = 1.0  # 0: always the likeliest
    top_k: int | None = None  # only the k likeliest tokens
    top_p: float = 1.0  # only the fewest that are this probable together

    def __post_init__(self):
        if not self.temperature >= 0:
            raise ValueError(f"temperature is {self.temperature}: it should be at least 0")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}: it should be above 0 and at most 1")
        if self.top_k is not None and not (isinstance(self.top_k, int) and self.top_k >= 1):
            raise ValueError(f"top_k is {self.top_k}: it should be a whole number, at least 1")


GREEDY = Decoding(temperature=0)


def next_token_probs(logits: Tensor, decoding: Decoding) -> Tensor:
    """The probabilities from which a token is drawn.  (B, V) -> (B, V)

    Raises ValueError if top_k is larger than the vocabulary.
    """
    V = logits.shape[-1]
    if decoding.top_k is not None and decoding.top_k > V:
        raise ValueError(f"top_k is {decoding.top_k}: the vocabulary has {V} tokens")
    logits, order = logits.float().sort(dim=-1, descending=True, stable=True)  # likeliest first
    if decoding.temperature == 0:
        logits[..., 1:] = float("-inf")
    else:  # the likeliest becomes 0: else a small temperature would overflow
        logits = (logits - logits[..., :1]) / decoding.temperature
    if decoding.top_k:
        logits[..., decoding.top_k :] = float("-inf")
    probs = logits.softmax(dim=-1)
    if decoding.top_p < 1:
        before = probs.cumsum(dim=-1) - probs  # what is likelier, together
        probs = logits.masked_fill(before >= decoding.top_p, float("-inf")).softmax(dim=-1)
    return torch.zeros_like(probs).scatter(-1, order, probs)


def sample_token(
    logits: Tensor, decoding: Decoding, generator: torch.Generator | None = None
) -> Tensor:
    """Draw a token for each row, on the generator's device if there is one.  (B, V) -> (B,)"""
    check_logits(logits)
    if decoding == GREEDY:
        return logits.argmax(dim=-1)  # the first of equals: no need to sort
    probs = next_token_probs(logits, decoding)
    probs = probs.to(generator.device) if generator else probs
    return torch.multinomial(probs, 1, generator=generator)[:, 0].to(logits.device)


@contextmanager
def evaluating(model: nn.Module):
    """Evaluation mode, without dropout; afterwards the mode in which the model was."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def check_request(
    prompts: Sequence[Sequence[int]], n_tokens: int | Sequence[int], vocab_size: int
) -> tuple[list[list[int]], list[int]]:
    """The prompts as lists, and how long each may become. Raises ValueError as `generate` says."""
    rows = [check_ids(prompt, vocab_size) for prompt in prompts]
    if [] in rows:
        raise ValueError(f"prompt {rows.index([])} is empty: it should have a token")
    lengths = torch.tensor([len(row) for row in rows], dtype=torch.long)  # (B,)
    wanted = torch.as_tensor(n_tokens)
    if wanted.dim() and len(wanted) != len(rows):
        raise ValueError(f"{len(wanted)} n_tokens for {len(rows)} prompts")
    if wanted.numel() and (wanted.is_floating_point() or wanted.dtype == torch.bool):
        raise ValueError(f"n_tokens is {n_tokens}: it should be a whole number")
    stops = lengths + wanted.long()
    if (stops < lengths).any():
        raise ValueError(f"n_tokens is {n_tokens}: it should be at least 0")
    return rows, stops.tolist()


@torch.no_grad()
def generate(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    n_tokens: int | Sequence[int],
    end: int | None = None,
    decoding: Decoding = GREEDY,
    generator: torch.Generator | None = None,
    cache: bool = True,
) -> list[list[int]]:
    """Each prompt with at most n_tokens more, the last one `end` if it came to that.

    Prompts may differ in length, and each may have an n_tokens of its own. The model sees as many
    of the last tokens as its context holds; without a cache it reads them all for each new one.
    Raises ValueError on an empty prompt, an unknown id, or n_tokens below 0.
    """
    rows, stops = check_request(prompts, n_tokens, model.config.vocab_size)
    writing = [i for i, row in enumerate(rows) if len(row) < stops[i]]
    room = min(max(stops, default=1), model.config.context_length)
    # only a GPT has keys and values that could be kept
    cached = cache and writing and isinstance(model, GPT)
    kept = KVCache(model, len(writing), room) if cached else None
    with evaluating(model):
        while writing:
            logits = next_logits(model, [rows[i] for i in writing], kept)
            new = sample_token(logits, decoding, generator).tolist()
            for i, token in zip(writing, new, strict=True):
                rows[i].append(token)
            on = [n for n, i in enumerate(writing) if new[n] != end and len(rows[i]) < stops[i]]
            if kept and len(on) < len(writing):
                kept.keep(on)
            writing = [writing[n] for n in on]
    return rows


def complete(
    model: GPT,
    tokenizer: BPEEncoder,
    texts: Sequence[str],
    decoding: Decoding = GREEDY,
    generator: torch.Generator | None = None,
    n_tokens: int = 150,
) -> list[str]:
    """Each text, read as the beginning of a story, and what the model makes of it up to its end."""
    end = tokenizer.special_tokens[END_OF_TEXT]
    prompts = [[end, *tokenizer.encode(text)] for text in texts]
    rows = generate(model, prompts, n_tokens, end, decoding, generator)
    return [tokenizer.decode(i for i in row if i != end) for row in rows]
