"""What decoding reads and computes, counted by hand and by what goes through the layers."""

import pytest
import torch

from shared.model import GPT, GPT2, TALES, GPTConfig
from shared.practice import Machine, decode_bytes, decode_flops, measure, predicted, step_seconds
from tests.test_gpt import SMALL, randomized

WIDE = GPTConfig(64, 16, 32, 2, 3, tied_embeddings=False)


@pytest.mark.parametrize("config", [SMALL, WIDE, TALES])
def test_bytes_are_those_of_the_weights_that_are_used(config):
    model = GPT(config)
    used = {id(w): w for name, w in model.named_parameters() if name != "wpe.weight"}
    if not config.tied_embeddings:
        del used[id(model.wte.weight)]
    n = sum(w.numel() for w in used.values())
    assert decode_bytes(config, 1, 0) == 4 * n == 2 * decode_bytes(config, 1, 0, width=2)
    kept = 2 * config.n_layers * config.d_model * 4
    assert decode_bytes(config, 3, 7) == 4 * n + 3 * 7 * kept


def test_operations_against_a_count():
    """PyTorch's own counter; ours also counts biases and norms."""
    from torch.utils.flop_counter import FlopCounterMode

    model = randomized(GPT(WIDE))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(5, 1, dtype=torch.long))
    ours = decode_flops(WIDE, 5, 1)
    assert 0.9 * ours < counter.get_total_flops() <= ours


def test_reading_or_computing_decides():
    machine = Machine(bandwidth=10.0, peak=100.0)
    assert machine.seconds(20, 100) == 2 and machine.seconds(20, 400) == 4
    machine, config = Machine(1e10, 1e11), GPT2["gpt2"]
    assert predicted(machine, config, 1, 10) == decode_bytes(config, 1, 10) / 1e10
    assert predicted(machine, config, 900, 10) == decode_flops(config, 900, 10) / 1e11
    assert predicted(machine, config, 1, 10, 1) < 0.3 * predicted(machine, config, 1, 10)


def test_measured():
    machine = measure(n=256, times=2)
    assert 1e8 < machine.bandwidth < 1e13 and 1e8 < machine.peak < 1e15
    assert 0 < step_seconds(randomized(GPT(SMALL)), 2, 5, times=2) < 5
    with pytest.raises(ValueError, match=r"13 \+ 5 tokens: the context is 16"):
        step_seconds(GPT(SMALL), 2, 13)
    with pytest.raises(ValueError, match=r"0 \+ 5 tokens"):
        step_seconds(GPT(SMALL), 2, 0)
