"""Products of a large matrix with few rows: as fast as the matrix can be read from memory.

A model that writes one token after the other multiplies its weights with one row at a time. A CPU
then waits for memory, not for arithmetic; but PyTorch's product of a matrix and one row reads it
with one thread, at half of the speed that a batch of two products reaches.
Shapes: N rows, I inputs, O outputs.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from shared.model.gpt import GPT

FEW = 4  # rows; with more, arithmetic is what takes the time
LARGE = 2**18  # weights: a smaller matrix stays in the processor's own memory


def thin_linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """F.linear, as a batch of products with the halves of the matrix.

    (..., I), (O, I), (O,) -> (..., O)
    """
    O, I = weight.shape
    rows = x.reshape(-1, I).contiguous()  # (N, I)
    n = 2 if O % 2 == 0 else 1
    if n == len(rows) == 1:
        rows = rows.repeat(2, 1)  # one product with one row would be the slow one
    y = torch.bmm(weight.view(n, O // n, I), rows.T.expand(n, I, len(rows)))  # (n, O / n, N)
    y = y.flatten(0, 1).T.contiguous()[: x.numel() // I]  # (N, O)
    return (y if bias is None else y + bias).view(*x.shape[:-1], O)


class ThinProducts(TorchFunctionMode):
    """While it is on, F.linear of few rows and a large matrix is thin_linear."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is F.linear and not kwargs:
            x, weight = args[:2]
            large = weight.numel() >= LARGE and weight.is_contiguous()
            if large and x.numel() <= FEW * x.shape[-1]:
                return thin_linear(*args)
        return function(*args, **(kwargs or {}))


def thin_products(model: GPT) -> AbstractContextManager:
    """ThinProducts where they help: on a CPU, for a model with large matrices."""
    weight = model.wte.weight
    helps = weight.device.type == "cpu" and model.config.d_model**2 >= LARGE
    return ThinProducts() if helps else nullcontext()
