"""Quantization against PyTorch and NumPy; what it costs, on the trained model."""

import numpy as np
import pytest
import torch
from torch import nn

from shared.model import GPT, GPTConfig, generate, load_tales
from shared.practice import dequantize, model_bytes, pack, quantize, quantize_model, unpack
from shared.training import evaluate, rows_and_floor
from tests.test_gpt import SMALL, close, randomized, seeded


def matrix(O=6, I=12):
    return torch.randn(O, I, generator=seeded()) * torch.arange(1.0, O + 1)[:, None]


@pytest.mark.filterwarnings("ignore:.*deprecated:UserWarning")
def test_eight_bits_as_pytorch_per_channel():
    weight = matrix()
    numbers, scales = quantize(weight, 8, 12)
    theirs = torch.quantize_per_channel(
        weight, scales[:, 0].double(), torch.zeros(6, dtype=torch.long), 0, torch.qint8
    )
    assert torch.equal(numbers, theirs.int_repr())
    close(dequantize(numbers, scales), theirs.dequantize())


@pytest.mark.parametrize("bits, group", [(8, 12), (8, 3), (4, 4), (4, 12), (3, 2), (2, 1)])
def test_against_numpy(bits, group):
    weight, m = matrix(), 2 ** (bits - 1) - 1
    numbers, scales = quantize(weight, bits, group)
    assert numbers.dtype == torch.int8 and scales.shape == (6, 12 // group)
    for o in range(6):
        for g in range(12 // group):
            part = weight[o, g * group : (g + 1) * group].numpy()
            scale = np.float16(np.abs(part).max() / m)
            expected = np.clip(np.round(part / np.float32(scale)), -m, m)
            assert numbers[o, g * group : (g + 1) * group].tolist() == expected.tolist()
            assert scales[o, g].item() == scale
    error = (dequantize(numbers, scales) - weight).abs().view(6, -1, group)
    assert (error <= scales.float()[..., None] * 0.51).all()


def test_zeros_stay_zeros_and_no_scale_is_zero():
    numbers, scales = quantize(torch.zeros(2, 4), 4, 2)
    assert not numbers.any() and (scales > 0).all()
    assert not dequantize(numbers, scales).any()


def test_packed():
    numbers = torch.randint(-8, 8, (5, 6), generator=seeded(), dtype=torch.int8)
    packed = pack(numbers)
    assert packed.dtype == torch.uint8 and packed.shape == (5, 3)
    assert torch.equal(unpack(packed), numbers)
    assert pack(torch.tensor([[-8, 7]], dtype=torch.int8)).item() == 0 + 16 * 15


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: quantize(matrix(), 9, 12), "9 bits, groups of 12 in rows of 12"),
        (lambda: quantize(matrix(), 1, 12), "1 bits"),
        (lambda: quantize(matrix(), 4, 5), "groups of 5 in rows of 12"),
        (lambda: quantize(matrix(), 4, 0), "groups of 0"),
        (lambda: pack(torch.tensor([[9, 1]], dtype=torch.int8)), "1 to 9"),
        (lambda: pack(torch.tensor([[1]], dtype=torch.int8)), r"\(1, 1\)"),
        (lambda: quantize_model(GPT(SMALL), 8, 24, "nothing"), "no matrix has 'nothing'"),
    ],
)
def test_what_cannot_be(call, said):
    with pytest.raises(ValueError, match=said):
        call()


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("bits", [8, 4])
def test_a_quantized_model_is_one_with_rounded_weights(tied, bits):
    config = GPTConfig(**{**vars(SMALL), "tied_embeddings": tied})
    model = randomized(GPT(config))
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    small, rounded = quantize_model(model, bits, 8), GPT(config).eval()
    weights = {
        name: dequantize(*quantize(weight, bits, 8)) if weight.dim() == 2 else weight
        for name, weight in before.items()
    }
    rounded.load_state_dict(weights)
    ids = torch.randint(50, (3, 9), generator=seeded())
    with torch.no_grad():
        close(small(ids), rounded(ids))
    assert generate(small, [[1, 2], [3]], 12) == generate(rounded, [[1, 2], [3]], 12)
    assert all(torch.equal(w, before[name]) for name, w in model.state_dict().items())
    assert model_bytes(small) < model_bytes(model) * 0.6


def test_only_some():
    model = randomized(GPT(SMALL))
    for only, n in (("c_fc", 2), ("h.1.", 4), ("wte", 1), ("", 10)):
        small = quantize_model(model, 4, 8, only)
        found = [m for m in small.modules() if type(m).__name__ == "Quantized"]
        assert len({*map(id, found)}) == n
        assert isinstance(small.lm_head, nn.Linear) == (only in ("c_fc", "h.1."))


def test_bytes_by_hand():
    layer = nn.Linear(12, 6)
    assert model_bytes(layer) == 4 * (72 + 6)
    config = GPTConfig(vocab_size=64, context_length=16, d_model=32, n_heads=2, n_layers=1)
    n = 64 * 32 + 16 * 32 + 12 * 32 * 32
    others = 4 * (3 + 1 + 4 + 1 + 4 + 2) * 32
    model = GPT(config)
    assert model_bytes(model) == 4 * n + others
    assert model_bytes(quantize_model(model, 8, 32)) == n + 2 * n // 32 + others
    assert model_bytes(quantize_model(model, 4, 16)) == n // 2 + 2 * n // 16 + others


def test_what_fewer_bits_cost_the_trained_model():
    model, tokenizer = load_tales()
    (x, y), _ = rows_and_floor(tokenizer, 256, n=48)
    loss, size = evaluate(model, x, y), model_bytes(model)
    for bits, group, nats, share in ((8, 128, 0.005, 0.3), (4, 32, 0.05, 0.2)):
        small = quantize_model(model, bits, group)
        assert evaluate(small, x, y) - loss < nats and model_bytes(small) < share * size
