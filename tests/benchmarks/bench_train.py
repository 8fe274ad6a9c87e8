"""Tokens a second of our training loop and of nanoGPT's.  python -m tests.benchmarks.bench_train

The opponent is written after Karpathy's nanoGPT (https://github.com/karpathy/nanoGPT): its model,
its way to draw batches from a row of ids, its optimizer on a CPU, its loop with a look at the loss
at every tenth step. The same sizes, fp32, eager, two threads; they take turns, four steps each, and
the ratio is the median over the rounds. Ours also reports the loss and the norm of every step.
"""

from collections.abc import Iterator
from itertools import islice, product
from statistics import median

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from shared.model import GPT, TALES, GPTConfig
from shared.training import Recipe, cosine_lr, random_windows, train
from tests.benchmarks.row import Row, seconds

B, STEPS, ROUNDS = 16, 4, 7


class Attention(nn.Module):
    def __init__(self, config: GPTConfig):
        super().__init__()
        self.c_attn = nn.Linear(config.d_model, 3 * config.d_model)
        self.c_proj = nn.Linear(config.d_model, config.d_model)
        self.n_head, self.n_embd = config.n_heads, config.d_model

    def forward(self, x):
        B, T, C = x.size()
        heads = (B, T, self.n_head, C // self.n_head)
        q, k, v = (part.view(heads).transpose(1, 2) for part in self.c_attn(x).split(C, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=None, dropout_p=0, is_causal=True)
        return self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))


class Opponent(nn.Module):
    """The model of nanoGPT, with biases; its GELU is the exact one ("none") or GPT-2's ("tanh")."""

    def __init__(self, config: GPTConfig, gelu: str):
        super().__init__()
        C = config.d_model
        self.wte = nn.Embedding(config.vocab_size, C)
        self.wpe = nn.Embedding(config.context_length, C)
        self.attention = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(C), Attention(config)) for _ in range(config.n_layers)
        )
        self.mlp = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(C), nn.Linear(C, 4 * C), nn.GELU(gelu), nn.Linear(4 * C, C))
            for _ in range(config.n_layers)
        )
        self.ln_f, self.lm_head = nn.LayerNorm(C), nn.Linear(C, config.vocab_size, bias=False)
        self.wte.weight = self.lm_head.weight

    def forward(self, ids, targets):
        x = self.wte(ids) + self.wpe(torch.arange(0, ids.size(1)))
        for attention, mlp in zip(self.attention, self.mlp, strict=True):
            x = x + attention(x)
            x = x + mlp(x)
        logits = self.lm_head(self.ln_f(x))
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))


def opponent_loop(model: nn.Module, data: np.ndarray, T: int, recipe: Recipe):
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.95))

    def get_batch():
        ix = torch.randint(len(data) - T, (B,))
        x = torch.stack([torch.from_numpy(data[i : i + T].astype(np.int64)) for i in ix])
        y = torch.stack([torch.from_numpy(data[i + 1 : i + 1 + T].astype(np.int64)) for i in ix])
        return x, y

    x, y = get_batch()
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = cosine_lr(step, recipe)
        loss = model(x, y)
        x, y = get_batch()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 10 == 0:
            loss.item()
        yield step


def compare(name: str, config: GPTConfig, gelu: str) -> Row:
    data = np.random.default_rng(0).integers(0, 1024, 200_000).astype(np.uint16)
    recipe, T = Recipe(STEPS * (ROUNDS + 1), warmup=STEPS), config.context_length
    ids = torch.from_numpy(data.astype(np.int64))
    loops = (
        train(GPT(config), random_windows(ids, T, B), recipe),
        opponent_loop(Opponent(config, gelu), data, T, recipe),
    )
    rounds = []
    for _ in range(ROUNDS + 1):
        rounds.append([seconds(lambda loop=loop: [*islice(loop, STEPS)]) for loop in loops])
    rate = B * T * STEPS / median(own for own, _ in rounds[1:])  # the first is a warm-up
    ratio = median(other / own for own, other in rounds[1:])
    words = {"none": "the exact GELU", "tanh": "GPT-2's GELU"}
    than = f"nanoGPT's loop with {words[gelu]}"
    return Row("Training", f"{name} million parameters", rate, "tokens/s", ratio, than, 1.0)


def rows() -> Iterator[Row]:
    torch.set_num_threads(2)
    sizes = {"1.09": TALES, "11": GPTConfig(1024, 128, 384, 6, 6)}
    for (name, config), gelu in product(sizes.items(), ("none", "tanh")):
        yield compare(name, config, gelu)


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
