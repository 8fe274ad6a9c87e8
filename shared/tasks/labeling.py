"""Training a classifier and asking it, as derived in chapter 6.

Shapes: N texts or B in a batch, T tokens, K classes.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared.model import evaluating
from shared.model.config import check_tokens
from shared.tasks.classifier import PAD, GPTClassifier, encode_rows
from shared.text import BPEEncoder


def class_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy in nats.  (B, K), (B,) -> ()   Raises ValueError on a wrong label."""
    if not len(labels):
        raise ValueError("there are no labels")
    low, top = (int(extreme) for extreme in labels.aminmax())
    if low < 0 or top >= logits.shape[1]:
        raise ValueError(f"labels {low} to {top}: the classes are 0 to {logits.shape[1] - 1}")
    return F.cross_entropy(logits, labels)


def train_only(model: nn.Module, *parts: nn.Module) -> int:
    """Let only these parts of a model learn; the number of their parameters."""
    model.requires_grad_(False)
    for part in parts:
        part.requires_grad_(True)
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


@torch.no_grad()
def in_batches(
    call: Callable[[Tensor], Tensor], model: nn.Module, ids: Tensor, batch_size: int = 64
) -> Tensor:
    """What `call` makes of all rows while the model is in evaluation mode.  (N, T) -> (N, ...)"""
    device = next(model.parameters()).device
    with evaluating(model):
        return torch.cat([call(batch.to(device)).cpu() for batch in ids.split(batch_size)])


def predict(model: GPTClassifier, ids: Tensor, batch_size: int = 64) -> Tensor:
    """The probability of each class.  (N, T) -> (N, K)

    Raises ValueError on an id that the model does not know.
    """
    check_tokens(ids.masked_fill(ids == PAD, 0), model.gpt.config)
    return in_batches(model, model, ids, batch_size).softmax(dim=-1)


def classify(
    model: GPTClassifier, tokenizer: BPEEncoder, text: str, truncate: bool = False
) -> dict[str, float]:
    """The probability of each class. Raises ValueError like `encode_rows`."""
    ids = encode_rows(tokenizer, [text], model.gpt.config.context_length, truncate)
    return dict(zip(model.classes, predict(model, ids)[0].tolist(), strict=True))
