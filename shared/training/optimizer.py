"""The optimizers, as derived in chapter 5: AdamW, and Muon for the matrices of the blocks."""

import torch
from torch import Tensor, nn

from shared.training.recipe import Recipe


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """About U V^T of the matrix U S V^T: the same directions, all about equally long.  (n, m)

    Newton and Schulz's iteration with the numbers of Jordan et al. (2024),
    https://kellerjordan.github.io/posts/muon/; singular values end between 0.7 and 1.2.
    """
    x = matrix / (matrix.norm() + 1e-7)
    x = x.T.contiguous() if len(matrix) > len(matrix.T) else x
    for _ in range(steps):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if len(matrix) > len(matrix.T) else x


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal before each step (Jordan et al., 2024). For matrices (n, m)."""

    def __init__(self, matrices, lr: float, momentum: float = 0.95):
        super().__init__(matrices, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                past = state.setdefault("momentum_buffer", torch.zeros_like(weight))
                past.lerp_(weight.grad, 1 - group["momentum"])
                direction = orthogonal(weight.grad.lerp(past, group["momentum"]))
                n, m = weight.shape
                weight.sub_(direction, alpha=group["lr"] * max(1, n / m) ** 0.5)


class Optimizers:
    """Several optimizers that step as one; each weight belongs to one of them."""

    def __init__(self, *optimizers: torch.optim.Optimizer):
        self.optimizers = optimizers
        self.param_groups = [group for one in optimizers for group in one.param_groups]
        for group in self.param_groups:
            group["highest_lr"] = group["lr"]

    def state_of(self, weight: Tensor) -> dict[str, Tensor]:
        """What is remembered of a weight; to be filled when a run goes on."""
        for one in self.optimizers:
            if any(weight is own for group in one.param_groups for own in group["params"]):
                return one.state[weight]
        return {}

    def scale_lr(self, share: float) -> None:
        """Set all learning rates to a share of what they are at their highest."""
        for group in self.param_groups:
            group["lr"] = group["highest_lr"] * share

    def zero_grad(self) -> None:
        for one in self.optimizers:
            one.zero_grad()

    def step(self) -> None:
        for one in self.optimizers:
            one.step()


def make_optimizer(model: nn.Module, recipe: Recipe) -> Optimizers:
    """AdamW (Loshchilov and Hutter, 2019), and with `muon_lr` Muon for the matrices.

    Only matrices decay; embeddings, biases and norms do not, and what Muon moves does not either.
    """
    tables = {m.weight for m in model.modules() if isinstance(m, nn.Embedding)}
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    matrices = [w for w in weights if w.dim() == 2 and w not in tables]
    others = [w for w in weights if w.dim() != 2 or w in tables]
    options = {"lr": recipe.lr, "betas": (0.9, 0.95), "fused": True}
    if recipe.muon_lr:
        muon = [Muon(matrices, recipe.muon_lr)] if matrices else []
        return Optimizers(*muon, torch.optim.AdamW(others, weight_decay=0.0, **options))
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return Optimizers(torch.optim.AdamW(groups, **options))
