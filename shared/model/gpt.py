"""GPT, as derived in chapter 4: blocks of attention and feed-forward layers on a residual stream.

Shapes: B batch, T tokens, C = d_model, V vocabulary. The modules have GPT-2's names
(Radford et al., 2019), so that its weights fit.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared.model.attention import CausalSelfAttention
from shared.model.config import GPTConfig

IGNORED = -100  # a target that does not count


class LayerNorm(nn.Module):
    """Shift and scale each token's vector to mean 0 and variance 1, then as learned.  (..., C)"""

    def __init__(self, d_model: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, eps=1e-5)


class FeedForward(nn.Module):
    """Each token's vector by itself: four times as wide, GELU, and back.  (..., C) -> (..., C)"""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.c_fc = nn.Linear(config.d_model, 4 * config.d_model)
        self.c_proj = nn.Linear(4 * config.d_model, config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    """What the tokens tell each other, then what each makes of it, added to x.  (B, T, C)"""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.ln_1, self.attn = LayerNorm(config.d_model), CausalSelfAttention(config)
        self.ln_2, self.mlp = LayerNorm(config.d_model), FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attn(self.ln_1(x)))
        return x + self.dropout(self.mlp(self.ln_2(x)))


class GPT(nn.Module):
    """Token ids to the logits of each next token.  (B, T) -> (B, T, V)"""

    def __init__(self, config: GPTConfig, generator: torch.Generator | None = None):
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):  # reset draws all numbers anew
            self.wte = nn.Embedding(config.vocab_size, config.d_model)
            self.wpe = nn.Embedding(config.context_length, config.d_model)
            self.dropout = nn.Dropout(config.dropout)
            self.h = nn.ModuleList(Block(config) for _ in range(config.n_layers))
            self.ln_f = LayerNorm(config.d_model)
            self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        if config.tied_embeddings:
            self.lm_head.weight = self.wte.weight
        self.reset(generator)

    @torch.no_grad()
    def reset(self, generator: torch.Generator | None = None) -> None:
        """A random start like GPT-2's: what is added to the stream is smaller in deep models."""
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                deep = (2 * self.config.n_layers) ** -0.5 if "c_proj" in name else 1.0
                weight.normal_(0, 0.02 * deep, generator=generator)
            else:
                weight.fill_(0.0 if name.endswith("bias") else 1.0)

    def hidden(self, ids: Tensor) -> Tensor:
        """The vectors after the last block and norm.  (B, T) -> (B, T, C)"""
        check_input(ids, self.config)
        positions = torch.arange(ids.shape[1], device=ids.device)
        x = self.dropout(self.wte(ids) + self.wpe(positions))
        for block in self.h:
            x = block(x)
        return self.ln_f(x)

    def forward(self, ids: Tensor) -> Tensor:
        return self.lm_head(self.hidden(ids))


def check_input(ids: Tensor, config: GPTConfig) -> None:
    """Raises ValueError unless ids are integers (B, T) within vocabulary and context."""
    if ids.dim() != 2 or ids.dtype not in (torch.int64, torch.int32):
        raise ValueError(f"ids are int64 or int32 (B, T), not {ids.dtype} {tuple(ids.shape)}")
    if not 1 <= ids.shape[1] <= config.context_length:
        raise ValueError(f"{ids.shape[1]} tokens: the context is 1 to {config.context_length}")
    low, top = (int(extreme) for extreme in ids.aminmax()) if len(ids) else (0, 0)
    if low < 0 or top >= config.vocab_size:
        raise ValueError(f"ids {low} to {top}: the vocabulary has 0 to {config.vocab_size - 1}")


def next_token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats over the targets that are not -100.  (B, T, V), (B, T) -> ()"""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)


def count_parameters(config: GPTConfig) -> int:
    """How many numbers the model learns, by formula."""
    V, T, C = config.vocab_size, config.context_length, config.d_model
    attention = 3 * C * C + 3 * C * config.qkv_bias + C * C + C
    feed_forward = C * 4 * C + 4 * C + 4 * C * C + C
    block = attention + feed_forward + 2 * 2 * C
    return V * C * (2 - config.tied_embeddings) + T * C + config.n_layers * block + 2 * C
