"""The numbers that make one GPT another (chapter 4), and what they allow."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class GPTConfig:
    """The shape of a GPT. Raises ValueError on what cannot work."""

    vocab_size: int  # V
    context_length: int  # the largest T
    d_model: int  # C
    n_heads: int  # H
    n_layers: int  # L
    dropout: float = 0.0
    qkv_bias: bool = True
    tied_embeddings: bool = True

    def __post_init__(self):
        check_config(self)


def check_config(config: GPTConfig) -> None:
    """Raises ValueError, naming the numbers, on a shape that no model can have."""
    for name in ("vocab_size", "context_length", "d_model", "n_heads", "n_layers"):
        value = getattr(config, name)
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}: it should be a whole number, at least 1")
    if config.d_model % config.n_heads:
        raise ValueError(f"d_model {config.d_model} can't be divided by {config.n_heads} heads")
    if not 0 <= config.dropout < 1:
        raise ValueError(f"dropout is {config.dropout}: it should be at least 0 and below 1")


def check_input(ids: Tensor, config: GPTConfig) -> None:
    """Raises ValueError unless ids are integers (B, T) that fit into the context.

    It looks at shape and type, which cost nothing and can be compiled; for values: `check_tokens`.
    """
    if ids.dim() != 2 or ids.dtype not in (torch.int64, torch.int32):
        raise ValueError(f"ids are int64 or int32 (B, T), not {ids.dtype} {tuple(ids.shape)}")
    if not 1 <= ids.shape[1] <= config.context_length:
        raise ValueError(f"{ids.shape[1]} tokens: the context is 1 to {config.context_length}")


def check_tokens(ids: Tensor, config: GPTConfig) -> None:
    """Raises ValueError if an id on the CPU is not in the vocabulary.

    For the places where ids come in. A model's `forward` has no such check: it would make a GPU
    wait in each step, and cannot be compiled.
    """
    if ids.device.type == "cpu" and ids.numel():
        low, top = (int(extreme) for extreme in ids.aminmax())
        if low < 0 or top >= config.vocab_size:
            raise ValueError(f"ids {low} to {top}: the vocabulary has 0 to {config.vocab_size - 1}")


def check_targets(logits: Tensor, targets: Tensor) -> None:
    """Raises ValueError unless there is one target for each row of logits, in the same order."""
    if logits.dim() != 3 or logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"logits {tuple(logits.shape)} and targets {tuple(targets.shape)}: they should be "
            "(B, T, V) and (B, T)"
        )


def check_logits(logits: Tensor) -> None:
    """Raises ValueError, saying where, if logits on the CPU have no likeliest token.  (B, V)

    A single token may be impossible (-inf). On a GPU nobody looks: each token would have to wait.
    """
    if logits.device.type == "cpu":
        largest = logits.amax(dim=-1)  # nan if one is
        if not largest.isfinite().all():
            row = int((~largest.isfinite()).nonzero()[0, 0])
            raise ValueError(f"the largest of the logits in row {row} is {largest[row].item()}")


TALES = GPTConfig(vocab_size=2048, context_length=256, d_model=128, n_heads=4, n_layers=4)
GPT2 = {
    "gpt2": GPTConfig(50_257, 1024, 768, 12, 12, dropout=0.1),
    "gpt2-medium": GPTConfig(50_257, 1024, 1024, 16, 24, dropout=0.1),
    "gpt2-large": GPTConfig(50_257, 1024, 1280, 20, 36, dropout=0.1),
    "gpt2-xl": GPTConfig(50_257, 1024, 1600, 25, 48, dropout=0.1),
}
