"""GPT, as derived in chapter 4: blocks of attention and feed-forward layers on a residual stream.

Shapes: B batch, T tokens, C = d_model, V vocabulary. The modules have GPT-2's names
(Radford et al., 2019), so that its weights fit.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared.model.attention import CausalSelfAttention
from shared.model.config import GPTConfig, check_input, check_targets

IGNORED = -100  # a target that does not count


class LayerNorm(nn.Module):
    """To mean 0 and variance 1, then scale and shift as learned.  (..., C)"""

    def __init__(self, d_model: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, eps=1e-5)


class FeedForward(nn.Module):
    """Each token by itself: four times as wide, GELU, and back.  (..., C)"""

    def __init__(self, config: GPTConfig):
        super().__init__()
        C = config.d_model
        self.c_fc = nn.Linear(C, 4 * C)
        self.c_proj = nn.Linear(4 * C, C)

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    """Attention, then feed-forward, each added to the stream.  (B, T, C)"""

    def __init__(self, config: GPTConfig):
        super().__init__()
        C = config.d_model
        self.ln_1 = LayerNorm(C)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = LayerNorm(C)
        self.mlp = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attn(self.ln_1(x)))
        return x + self.dropout(self.mlp(self.ln_2(x)))


class GPT(nn.Module):
    """Token ids to the logits of each next token.  (B, T) -> (B, T, V)"""

    def __init__(self, config: GPTConfig, generator=None):
        super().__init__()
        self.config, C, L = config, config.d_model, config.n_layers
        with torch.random.fork_rng(devices=[]):  # init_weights draws anew
            self.wte = nn.Embedding(config.vocab_size, C)
            self.wpe = nn.Embedding(config.context_length, C)
            self.dropout = nn.Dropout(config.dropout)
            self.h = nn.ModuleList(Block(config) for _ in range(L))
            self.ln_f = LayerNorm(C)
            self.lm_head = nn.Linear(C, config.vocab_size, bias=False)
        if config.tied_embeddings:
            self.lm_head.weight = self.wte.weight
        init_weights(self, generator)

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


@torch.no_grad()
def init_weights(model: GPT, generator=None) -> None:
    """A random start as in GPT-2, from the generator if there is one.

    Standard deviation 0.02, less where 2 L outputs add up on the stream.
    """
    deep = (2 * model.config.n_layers) ** -0.5
    for name, weight in model.named_parameters():
        if weight.dim() == 2:
            std = 0.02 * deep if "c_proj" in name else 0.02
            nn.init.normal_(weight, std=std, generator=generator)
        else:
            weight.fill_(0.0 if name.endswith("bias") else 1.0)


def next_token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats, without targets -100.  (B, T, V), (B, T)

    Raises ValueError on shapes that don't fit, and IndexError, naming it, on an unknown target.
    """
    check_targets(logits, targets)
    logits, targets = logits.flatten(0, 1), targets.flatten()
    return F.cross_entropy(logits, targets, ignore_index=IGNORED)


def count_parameters(config: GPTConfig) -> int:
    """How many numbers the model learns, by formula."""
    V, T, C = config.vocab_size, config.context_length, config.d_model
    attention = 3 * C * C + 3 * C * config.qkv_bias + C * C + C
    feed_forward = C * 4 * C + 4 * C + 4 * C * C + C
    ends = V * C * (2 - config.tied_embeddings) + T * C + 2 * C
    return ends + config.n_layers * (attention + feed_forward + 4 * C)
