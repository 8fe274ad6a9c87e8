"""Training, as derived in chapter 5: a loop that can be watched, stopped and resumed.

Long runs, on one device or many: python -m shared.training --help
"""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from shared.model import IGNORED, evaluating, next_token_loss
from shared.training.feed import Feed, generator_of, known_ids
from shared.training.optimizer import make_optimizer
from shared.training.recipe import Recipe, cosine, cosine_lr
from shared.training.resume import load_state, save_state


@dataclass(frozen=True)
class Record:
    """What one step saw, before it changed the weights; `loss` in nats per token."""

    step: int
    loss: float
    lr: float
    grad_norm: float


def train(
    model: nn.Module,
    feed: Feed,
    recipe: Recipe,
    loss_of: Callable[[Tensor, Tensor], Tensor] = next_token_loss,
    folder: str | Path | None = None,
    save_every: int = 500,
) -> Iterator[Record]:
    """Train, yielding a Record after each step. With a folder, save there and resume from there.

    A step is saved when the next Record is asked for: what was done with its own is done by then.
    Each step seeds PyTorch's global generator, for dropout.
    Raises FloatingPointError if loss or gradient is not finite; the last saved state stays.
    """
    own = model.module if isinstance(model, DistributedDataParallel) else model
    optimizer = make_optimizer(own, recipe)
    start = load_state(folder, own, optimizer, recipe) if folder else 0
    for step in range(start, recipe.steps):
        optimizer.scale_lr(cosine(step, recipe))
        optimizer.zero_grad()
        loss = add_gradients(model.train(), feed, step, recipe, loss_of)
        norm = nn.utils.clip_grad_norm_(own.parameters(), recipe.clip).item()
        if not math.isfinite(loss + norm):
            raise FloatingPointError(f"step {step}: the loss is {loss}, its gradient's norm {norm}")
        optimizer.step()
        yield Record(step, loss, cosine_lr(step, recipe), norm)
        if folder and ((step + 1) % save_every == 0 or step + 1 == recipe.steps):
            save_state(folder, own, optimizer, recipe, step + 1)


def add_gradients(model, feed: Feed, step: int, recipe: Recipe, loss_of) -> float:
    """Backward through the step's batches; the mean of their losses, over all processes.

    It is the mean over all tokens if each batch has as many targets that count.
    """
    device, rank, world = next(model.parameters()).device, *processes()
    # dropout follows from the step too: nothing random is left to be saved
    torch.manual_seed(generator_of(recipe.seed, step, rank).initial_seed())
    total = torch.zeros((), device=device)
    for i in range(step * recipe.accumulate, (step + 1) * recipe.accumulate):
        inputs, targets = (part.to(device, non_blocking=True) for part in known_ids(model, feed(i)))
        alone = world > 1 and (i + 1) % recipe.accumulate  # gradients travel once per step
        with model.no_sync() if alone else nullcontext():
            with torch.autocast(device.type, torch.bfloat16, enabled=recipe.bf16):
                loss = loss_of(model(inputs), targets) / recipe.accumulate
            loss.backward()
        total += loss.detach()
    if world > 1:
        distributed.all_reduce(total)
    return total.item() / world


def processes() -> tuple[int, int]:
    """This process's rank, and how many train together."""
    if distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


@torch.no_grad()
def evaluate(model: nn.Module, inputs: Tensor, targets: Tensor, batch_size: int = 64) -> float:
    """Mean loss in nats over all targets that count, (N, T), whatever batch they fall into.

    Raises ValueError if none counts.
    """
    counts = int((targets != IGNORED).sum())
    if not counts:
        raise ValueError(f"none of the targets {tuple(targets.shape)} counts")
    device, total = next(model.parameters()).device, 0.0
    with evaluating(model):
        for x, y in zip(inputs.split(batch_size), targets.split(batch_size), strict=True):
            known_ids(model, (x, y))
            if n := int((y != IGNORED).sum()):
                total += next_token_loss(model(x.to(device)), y.to(device)).item() * n
    return total / counts
