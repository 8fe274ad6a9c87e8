"""Causal self-attention, as derived in chapter 3.

Shapes: B batch, T tokens, C = d_model, H heads, D = C / H channels per head.
From Vaswani et al. (2017), https://arxiv.org/abs/1706.03762.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared.model.config import GPTConfig


def causal_weights(q: Tensor, k: Tensor) -> Tensor:
    """How much each token attends to each earlier one.

    (..., T, D), (..., T, D) -> (..., T, T)
    """
    T, D = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) / D**0.5  # (..., T, T)
    future = torch.ones(T, T, dtype=torch.bool, device=q.device).triu(1)
    return scores.masked_fill(future, float("-inf")).softmax(dim=-1)


class CausalSelfAttention(nn.Module):
    """Each token attends to itself and those before, with H heads.

    (B, T, C) -> (B, T, C)
    """

    def __init__(self, config: GPTConfig):
        super().__init__()
        C = config.d_model
        self.n_heads, self.dropout = config.n_heads, config.dropout
        self.c_attn = nn.Linear(C, 3 * C, bias=config.qkv_bias)
        self.c_proj = nn.Linear(C, C)

    def qkv(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys, values, each (B, H, T, D), from x (B, T, C)."""
        B, T, C = x.shape
        heads = self.c_attn(x).view(B, T, 3, self.n_heads, C // self.n_heads)
        return heads.permute(2, 0, 3, 1, 4).unbind()

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x)
        p = self.dropout if self.training else 0.0
        context = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)
        return self.c_proj(context.transpose(1, 2).flatten(2))  # (B, H, T, D) -> (B, T, C)
