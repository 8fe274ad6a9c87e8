"""LoRA, low-rank adaptation (Hu et al., 2021), as derived in chapter 6.

Shapes: I inputs, O outputs, R rank, far smaller than both.
"""

from collections import Counter
from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LoRALinear(nn.Module):
    """A frozen linear layer W and a change to it: W + alpha / R * B A.

    B begins with zeros: at first nothing is different.
    """

    def __init__(self, linear: nn.Linear, rank: int, alpha: float, generator=None):
        super().__init__()
        O, I = check_rank(linear, rank)
        self.linear, self.scale = linear.requires_grad_(False), alpha / rank
        self.A = nn.Parameter(linear.weight.new_empty(rank, I))
        self.B = nn.Parameter(linear.weight.new_zeros(O, rank))
        nn.init.normal_(self.A, std=I**-0.5, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        narrow = F.linear(x, self.A)  # (..., I) -> (..., R)
        return self.linear(x) + self.scale * F.linear(narrow, self.B)

    @torch.no_grad()
    def merge(self) -> nn.Linear:
        """The layer with the change built in: as fast as it was before."""
        self.linear.weight += self.scale * self.B @ self.A
        self.B.zero_()  # it is in there now
        return self.linear.requires_grad_(True)


def check_rank(linear: nn.Linear, rank: int) -> tuple[int, int]:
    """The numbers of outputs and inputs. Raises ValueError if no matrix of theirs has the rank."""
    O, I = linear.weight.shape
    if not 1 <= rank <= min(O, I):
        raise ValueError(f"rank {rank}: a matrix ({O}, {I}) has at most {min(O, I)}")
    return O, I


def add_lora(
    model: nn.Module, rank: int, alpha: float, names: Collection[str], generator=None
) -> list[LoRALinear]:
    """Freeze a model and put a LoRALinear around its linear layers of these names.

    Raises ValueError if there are none, or if another part shares the weights of one.
    """
    places = [
        (parent, name)
        for parent in model.modules()
        for name, child in parent.named_children()
        if name in names and isinstance(child, nn.Linear)
    ]
    if not places:
        raise ValueError(f"no linear layer is called {' or '.join(names)}")
    uses = Counter(id(w) for _, w in model.named_parameters(remove_duplicate=False))
    if shared := [name for p, name in places if uses[id(getattr(p, name).weight)] > 1]:
        raise ValueError(f"{shared[0]} shares its weights: a change would be one of the other too")
    layers = [LoRALinear(getattr(p, n), rank, alpha, generator) for p, n in places]
    model.requires_grad_(False)
    for (parent, name), layer in zip(places, layers, strict=True):
        setattr(parent, name, layer)
    return layers


def merge_lora(model: nn.Module) -> None:
    """Build all changes in: plain linear layers again, the same outputs, ready to be saved."""
    for parent in [*model.modules()]:
        for name, child in [*parent.named_children()]:
            if isinstance(child, LoRALinear):
                setattr(parent, name, child.merge())
