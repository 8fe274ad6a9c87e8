"""The state of a training run in one file, used from chapter 5 on.

Weights, what the optimizer remembers of each, and the step. Learning rate, batch and dropout follow
from the step, so that is all: a run that was killed ends in the same bits as one that was not.
"""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import distributed, nn

from shared.book import read_tensors, write_tensors

STATE = "state.safetensors"


def save_state(folder: str | Path, model: nn.Module, optimizer, recipe, step: int) -> None:
    """Write the state after `step` steps, whole or not at all; of many processes the first does."""
    if distributed.is_initialized() and distributed.get_rank() != 0:
        return
    tensors = {}
    for name, weight in model.named_parameters():
        for kind, tensor in {"weight": weight, **optimizer.state_of(weight)}.items():
            tensors[f"{kind}/{name}"] = tensor.detach().contiguous()
    Path(folder).mkdir(parents=True, exist_ok=True)
    write_tensors(Path(folder) / STATE, tensors, step=str(step), **description(model, recipe))


@torch.no_grad()
def load_state(folder: str | Path, model: nn.Module, optimizer, recipe) -> int:
    """Fill model and optimizer with what the folder holds; the steps done, 0 if it holds nothing.

    Raises ValueError if the state is damaged, or another model's or recipe's: it names the fields.
    """
    path = Path(folder) / STATE
    for left_over in path.parent.glob(f"{STATE}.*.tmp"):  # by a process that was killed
        left_over.unlink(missing_ok=True)
    if not path.exists():
        return 0
    tensors, notes = read_tensors(path)
    for what, here in description(model, recipe).items():
        check_same(f"{path}: another {what}", json.loads(notes.get(what, "{}")), json.loads(here))
    weights = dict(model.named_parameters())
    for place, tensor in tensors.items():
        kind, name = place.split("/")
        if kind == "weight":
            weights[name].copy_(tensor)
        else:
            optimizer.state_of(weights[name])[kind] = tensor.to(weights[name].device)
    return int(notes["step"])


def description(model: nn.Module, recipe) -> dict[str, str]:
    """What must not change between two parts of a run: the shapes of the weights and the recipe."""
    shapes = {name: list(weight.shape) for name, weight in model.named_parameters()}
    config = asdict(model.config) if hasattr(model, "config") else {}
    return {"model": json.dumps({**config, **shapes}), "recipe": json.dumps(asdict(recipe))}


def check_same(message: str, there: dict, here: dict) -> None:
    """Raises ValueError with each field that differs: (there, here)."""
    keys = [*dict.fromkeys([*here, *there])]
    wrong = {
        key: (there.get(key), here.get(key)) for key in keys if there.get(key) != here.get(key)
    }
    if wrong:
        raise ValueError(f"{message}; there and here: {wrong}")
