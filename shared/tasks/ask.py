"""Asking a model how likely a text is, as derived in chapter 1.

A text is read as the beginning of a story: behind the token that ends the one before.
Shapes: T tokens, V vocabulary.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from shared.model import GPT, evaluating
from shared.text import END_OF_TEXT, BPEEncoder, check_ids


@torch.no_grad()
def next_log_probs(model: GPT, ids: Sequence[int]) -> Tensor:
    """How likely each token comes next, as logarithms.  (T,) -> (T, V)"""
    device = model.wte.weight.device
    known = check_ids(ids, model.wte.num_embeddings)
    with evaluating(model):
        logits = model(torch.tensor([known], device=device))[0]
    return logits.log_softmax(dim=-1)


def probs_after(model: GPT, tokenizer: BPEEncoder, text: str) -> Tensor:
    """The probability of each token of the vocabulary to come next.  -> (V,)"""
    ids = [tokenizer.special_tokens[END_OF_TEXT], *tokenizer.encode(text)]
    return next_log_probs(model, ids)[-1].exp()


def log_prob(model: GPT, tokenizer: BPEEncoder, beginning: str, rest: str) -> float:
    """The log-probability, in nats, that a text goes on with exactly this.

    Raises ValueError without a rest, or if it begins within a token.
    """
    known, new = tokenizer.encode(beginning), tokenizer.encode(rest)
    if not new:
        raise ValueError("the rest has 0 tokens: it should have at least 1")
    if tokenizer.encode(beginning + rest) != known + new:
        raise ValueError(f"{rest!r} begins within a token: include its space")
    ids = [tokenizer.special_tokens[END_OF_TEXT], *known, *new]
    # the first token of the rest is judged where the beginning ends
    log_probs = next_log_probs(model, ids[:-1])[len(known) :]
    return log_probs[range(len(new)), new].sum().item()
