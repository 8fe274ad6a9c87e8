"""The KV cache: each token is read once, and its keys and values are kept for those that follow.

Shapes: B rows, T new tokens, S tokens of the longest row, C = d_model, H heads, D = C / H.
Shazeer (2019), https://arxiv.org/abs/1911.02150, and Pope et al. (2022),
https://arxiv.org/abs/2211.05102, say what writing costs with it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from shared.model.config import check_input, check_tokens
from shared.model.gpt import GPT
from shared.model.thin import thin_products


class KVCache:
    """The keys and values of the tokens that were read: room for n_tokens in each of n_rows.

    keys, values: for each layer (B, H, n_tokens, D); lengths (B,): how many of them are filled.
    Raises ValueError on more tokens than the model's context holds, or on less than one.
    """

    def __init__(self, model: GPT, n_rows: int, n_tokens: int):
        config = model.config
        if not 1 <= n_tokens <= config.context_length:
            raise ValueError(f"{n_tokens} tokens: the context is 1 to {config.context_length}")
        shape = (n_rows, config.n_heads, n_tokens, config.d_model // config.n_heads)
        # zeros: 0 times what is not yet filled should be 0, and anything else could be NaN
        self.keys = [model.wte.weight.new_zeros(shape) for _ in model.h]
        self.values = [model.wte.weight.new_zeros(shape) for _ in model.h]
        self.lengths = torch.zeros(n_rows, dtype=torch.long)  # stays on the CPU

    def keep(self, rows: Sequence[int]) -> None:
        """Only these rows, in this order."""
        self.keys = [keys[rows] for keys in self.keys]
        self.values = [values[rows] for values in self.values]
        self.lengths = self.lengths[rows]


def visible_keys(positions: Tensor, S: int) -> Tensor:
    """Which of S keys a query at each position sees: those up to its own.  (B, T) -> (B, T, S)"""
    return torch.arange(S) <= positions[..., None]


def places(lengths: Tensor, counts: Tensor, T: int) -> tuple[tuple, tuple]:
    """Which of T new keys (B, H, T, D) are kept, and where in the cache: two indices."""
    first, everything = int(lengths[0]), slice(None)
    if (lengths == first).all() and (counts == T).all():  # the usual case, and the fastest
        return (everything,), (everything, everything, slice(first, first + T))
    rows, new = (torch.arange(T) < counts[:, None]).nonzero(as_tuple=True)
    return (rows, everything, new), (rows, everything, lengths[rows] + new)


@torch.no_grad()
def read_tokens(model: GPT, ids: Tensor, cache: KVCache, counts: Tensor | None = None) -> Tensor:
    """What GPT.hidden gives for new tokens behind those in the cache.  (B, T) -> (B, T, C)

    Only the first counts (B,) ids of each row are read; the others, if rows differ in length, are
    padding, and so are their vectors. There is no dropout.
    Raises ValueError if cache, model and ids don't fit together, or a row has no room.
    """
    (B, T), last = ids.shape, model.config.context_length - 1
    counts = torch.full((B,), T) if counts is None else counts.cpu()
    check_fit(model, ids, cache, counts)
    S = int((cache.lengths + counts).max())
    here, there = places(cache.lengths, counts, T)
    positions = cache.lengths[:, None] + torch.arange(T)  # (B, T)
    visible = visible_keys(positions, S)[:, None].to(ids.device)  # (B, 1, T, S): for all heads
    visible = None if visible.all() else visible  # attention is faster without a mask
    with thin_products(model):
        x = model.wte(ids) + model.wpe(positions.clamp(max=last).to(ids.device))
        for block, keys, values in zip(model.h, cache.keys, cache.values, strict=True):
            q, k, v = block.attn.qkv(block.ln_1(x))  # (B, H, T, D)
            keys[there], values[there] = k[here], v[here]
            heads = F.scaled_dot_product_attention(q, keys[:, :, :S], values[:, :, :S], visible)
            x = x + block.attn.c_proj(heads.transpose(1, 2).flatten(2))
            x = x + block.mlp(block.ln_2(x))
    cache.lengths = cache.lengths + counts
    return model.ln_f(x)


def pad(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows of ids, filled up with zeros behind their ends (B, T), and their lengths (B,)."""
    lengths = [len(row) for row in rows]
    filled = [[*row, *[0] * (max(lengths) - len(row))] for row in rows]
    return torch.tensor(filled, device=device), torch.tensor(lengths)


@torch.no_grad()
def next_logits(model: GPT, rows: Sequence[Sequence[int]], cache: KVCache | None = None) -> Tensor:
    """The logits of what follows each row, of which the model sees the last tokens.  -> (B, V)

    A cache should have the beginnings of these rows: the model reads only the rest. Once a row is
    longer than the context, each step moves all of its tokens to other positions: they are read
    anew, without the cache.
    Raises ValueError if the cache has all of a row.
    """
    context_length, weight = model.config.context_length, model.wte.weight
    anew = [i for i, row in enumerate(rows) if cache is None or len(row) > context_length]
    x = weight.new_empty(len(rows), model.config.d_model)
    if len(anew) < len(rows):
        known = cache.lengths.tolist()
        new = [row[n:] for row, n in zip(rows, known, strict=True)]
        if [] in new:
            raise ValueError(
                f"row {new.index([])}: the cache has all {known[new.index([])]} tokens"
            )
        new = [[] if i in anew else row for i, row in enumerate(new)]
        ids, counts = pad(new, weight.device)
        x = read_tokens(model, ids, cache, counts)[range(len(rows)), counts - 1]
    if anew:
        ids, counts = pad([rows[i][-context_length:] for i in anew], weight.device)
        x[anew] = model.hidden(ids)[range(len(anew)), counts - 1]
    with thin_products(model):
        return model.lm_head(x)


def check_fit(model: GPT, ids: Tensor, cache: KVCache, counts: Tensor) -> None:
    """Raises ValueError unless the cache is one of this model and has room for these tokens."""
    check_input(ids, model.config)
    check_tokens(ids, model.config)
    C, H, L = model.config.d_model, model.config.n_heads, model.config.n_layers
    n_rows, n_heads, room, D = cache.keys[0].shape
    if (len(cache.keys), n_heads, D) != (L, H, C // H):
        raise ValueError(
            f"the cache is for {len(cache.keys)} layers, {n_heads} heads and {D} channels per "
            f"head: the model has {L}, {H} and {C // H}"
        )
    if len(ids) != n_rows:
        raise ValueError(f"{len(ids)} rows of ids: the cache has {n_rows}")
    if counts.shape != (n_rows,) or not 0 <= counts.min() <= counts.max() <= ids.shape[1]:
        raise ValueError(f"counts {counts.tolist()} of {n_rows} rows of {ids.shape[1]} tokens")
    if (needed := int((cache.lengths + counts).max())) > room:
        raise ValueError(f"a row would have {needed} tokens: the cache has room for {room}")
