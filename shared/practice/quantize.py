"""Fewer bits for each weight, as derived in chapter 9: whole numbers, and a scale for each group.

Shapes: O outputs, I inputs, G weights of a row that share a scale.
The same idea with a better rounding: Frantar et al. (2022), https://arxiv.org/abs/2210.17323.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared.model import GPT


def quantize(weight: Tensor, bits: int, group: int) -> tuple[Tensor, Tensor]:
    """Whole numbers from -m to m, m = 2^(bits - 1) - 1, and half-precision scales.

    (O, I) -> int8 (O, I), float16 (O, I / G)
    Raises ValueError unless 2 <= bits <= 8, and the groups fill the rows.
    """
    O, I = weight.shape
    if not 2 <= bits <= 8 or group < 1 or I % group:
        raise ValueError(f"{bits} bits, groups of {group} in rows of {I}: 2 to 8 bits, full groups")
    m, groups = 2 ** (bits - 1) - 1, weight.float().view(O, I // group, group)
    scales = (
        (groups.abs().amax(dim=-1) / m).clamp(min=1e-7).half()
    )  # no group of zeros divides by 0
    numbers = (groups / scales.float()[..., None]).round().clamp(-m, m)
    return numbers.to(torch.int8).view(O, I), scales


def dequantize(numbers: Tensor, scales: Tensor) -> Tensor:
    """About the weights again.  int8 (O, I), (O, I / G) -> (O, I)"""
    O, groups = scales.shape
    split = numbers.view(O, groups, -1).float()
    return (split * scales.float()[..., None]).view(O, -1)


def pack(numbers: Tensor) -> Tensor:
    """Two numbers of four bits, -8 to 7, in each byte.  int8 (O, I) -> uint8 (O, I / 2)

    Raises ValueError if a number is larger, or I is odd.
    """
    if numbers.shape[1] % 2 or numbers.min() < -8 or numbers.max() > 7:
        raise ValueError(f"{tuple(numbers.shape)}, {numbers.min()} to {numbers.max()}: -8 to 7")
    low, high = ((numbers[:, k::2] + 8).to(torch.uint8) for k in (0, 1))
    return low + 16 * high


def unpack(packed: Tensor) -> Tensor:
    """What was packed.  uint8 (O, I / 2) -> int8 (O, I)"""
    halves = torch.stack([packed % 16, packed // 16], dim=-1)  # (O, I / 2, 2)
    return (halves.to(torch.int8) - 8).flatten(1)


class Quantized(nn.Module):
    """A matrix (O, I) that is kept in few bits and made anew each time it is needed."""

    def __init__(self, weight: Tensor, bits: int, group: int):
        super().__init__()
        numbers, scales = quantize(weight.detach(), bits, group)
        self.packed = bits <= 4 and numbers.shape[1] % 2 == 0
        self.register_buffer("numbers", pack(numbers) if self.packed else numbers)
        self.register_buffer("scales", scales)

    def rows(self, chosen=slice(None)) -> Tensor:
        """Some rows of the matrix, or all."""
        numbers = self.numbers[chosen]
        return dequantize(unpack(numbers) if self.packed else numbers, self.scales[chosen])

    @property
    def weight(self) -> Tensor:
        return self.rows()


class QuantizedLinear(nn.Module):
    """nn.Linear with a Quantized matrix; the bias stays as it is.  (..., I) -> (..., O)"""

    def __init__(self, matrix: Quantized, bias: Tensor | None = None):
        super().__init__()
        self.matrix, self.bias = matrix, bias

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.matrix.weight, self.bias)


class QuantizedEmbedding(nn.Module):
    """nn.Embedding with a Quantized table: only the rows that are asked for are made."""

    def __init__(self, matrix: Quantized):
        super().__init__()
        self.matrix, self.num_embeddings = matrix, len(matrix.numbers)

    @property
    def weight(self) -> Tensor:
        return self.matrix.weight

    def forward(self, ids: Tensor) -> Tensor:
        return self.matrix.rows(ids.flatten()).view(*ids.shape, -1)


def quantize_model(model: GPT, bits: int, group: int, only: str = "") -> GPT:
    """A copy with quantized matrices: those whose names contain `only`. A tied head stays tied.

    Raises ValueError as `quantize` does, and if no name contains it.
    """
    new, made = copy.deepcopy(model).eval(), {}
    layers = [(n, m) for n, m in new.named_modules() if isinstance(m, nn.Linear | nn.Embedding)]
    tied = {new.lm_head.weight.data_ptr(): "wte"} if model.config.tied_embeddings else {}
    for name, layer in layers:
        if only not in tied.get(layer.weight.data_ptr(), name):
            continue
        key = layer.weight.data_ptr()
        if key not in made:
            made[key] = Quantized(layer.weight, bits, group)
        place, _, leaf = name.rpartition(".")
        linear = isinstance(layer, nn.Linear)
        other = QuantizedLinear(made[key], layer.bias) if linear else QuantizedEmbedding(made[key])
        setattr(new.get_submodule(place), leaf, other)
    if not made:
        raise ValueError(f"no matrix has {only!r} in its name")
    return new


def model_bytes(model: nn.Module) -> int:
    """The bytes of all parameters and buffers, each counted once."""
    kept = {t.data_ptr(): t.numel() * t.element_size() for t in model.state_dict().values()}
    return sum(kept.values())
