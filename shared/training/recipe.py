"""How to train, as derived in chapter 5: numbers, learning rate, first weights."""

import math
from dataclasses import dataclass

import torch

from shared.model import GPT


@dataclass(frozen=True)
class Recipe:
    """How to train. Raises ValueError, naming the number, on what cannot work."""

    steps: int
    lr: float = 4e-3  # AdamW's, at its highest
    muon_lr: float = 0.0  # Muon's, for the matrices of the blocks; 0 leaves them to AdamW
    warmup: int = 50  # steps
    final: float = 0.05  # of the rates, at the end
    weight_decay: float = 0.1
    clip: float = 1.0  # the largest norm of the gradient
    accumulate: int = 1  # batches for one step
    bf16: bool = False  # matrix products in bfloat16
    seed: int = 0  # of dropout; in a long run of weights and batches too

    def __post_init__(self):
        for name in ("steps", "warmup", "accumulate", "seed"):
            if not isinstance(value := getattr(self, name), int):
                raise ValueError(f"{name} is {value!r}: it should be a whole number")
        for name in ("steps", "lr", "clip", "accumulate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it should be above 0")
        for name in ("lr", "muon_lr", "final", "weight_decay"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} is {value}: it should be finite and not below 0")
        if self.final > 1:
            raise ValueError(f"final is {self.final}: a share of the rates, so at most 1")
        if not isinstance(self.bf16, bool):
            raise ValueError(f"bf16 is {self.bf16!r}: it should be True or False")
        if not 0 <= self.warmup < self.steps:
            raise ValueError(f"a warm-up of {self.warmup} steps does not fit {self.steps} steps")


def cosine(step: int, recipe: Recipe) -> float:
    """The share of the highest rate in step 0, 1, ...: up in a line, down in half a cosine."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - 1 - recipe.warmup)  # 0 ... 1
    height = 0.5 * (1 + math.cos(math.pi * done))  # 1 ... 0
    return recipe.final + (1 - recipe.final) * height


def cosine_lr(step: int, recipe: Recipe) -> float:
    """AdamW's learning rate in step 0, 1, ..."""
    return recipe.lr * cosine(step, recipe)


@torch.no_grad()
def start_narrow(model: GPT) -> None:
    """Larger numbers at the start, for models narrower than GPT-2 small.

    Its 0.02 times the root of its 768 channels is kept for fewer channels. Token vectors get twice
    more, so that words used alike stay different words.
    """
    times = (768 / model.config.d_model) ** 0.5
    for name, weight in model.named_parameters():
        if weight.dim() == 2 and name != "wpe.weight":
            weight *= 2 * times if name == "wte.weight" else times
