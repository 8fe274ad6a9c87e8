"""How fast a model can write, as derived in chapter 9: what a machine reads and computes a second.

Units: bytes, floating-point operations, seconds. From Williams, Waterman and Patterson (2009),
https://doi.org/10.1145/1498765.1498785.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from shared.model import GPT, GPTConfig, KVCache, count_parameters, next_logits


def fastest(call: Callable[[], object], times: int = 5) -> float:
    """The seconds of computing of the fastest of some calls.

    Time in which other programs have the processor does not count. If several threads compute,
    their seconds add up: measure with one, torch.set_num_threads(1).
    """
    found = []
    for _ in range(times):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return min(found)


@dataclass(frozen=True)
class Machine:
    """What a machine can do at most: `bandwidth` in bytes a second, `peak` in operations."""

    bandwidth: float
    peak: float

    def seconds(self, bytes_read: float, operations: float) -> float:
        """The least time for some work: the slower of reading and computing decides."""
        return max(bytes_read / self.bandwidth, operations / self.peak)


def measure(n: int = 2048, times: int = 5) -> Machine:
    """This machine, measured with a sum of 16 n^2 numbers and a product of matrices of n x n.

    The sum uses each number once, the product each of them n times.
    """
    many, square = torch.rand(16, n, n), torch.rand(n, n)
    reading = fastest(lambda: many.sum(), times)
    computing = fastest(lambda: square @ square, times)
    return Machine(4 * many.numel() / reading, 2 * n**3 / computing)


def decode_bytes(config: GPTConfig, rows: int, cached: int, width: float = 4) -> float:
    """What one step of decoding reads: all weights once, and the keys and values of each row.

    `width` is the bytes of a weight; keys and values have four. Of the table of positions, and of
    tokens unless it is the head too, only single rows are read.
    """
    V, T, C = config.vocab_size, config.context_length, config.d_model
    only_looked_up = T * C + (0 if config.tied_embeddings else V * C)
    weights = width * (count_parameters(config) - only_looked_up)
    return weights + 4 * rows * cached * 2 * config.n_layers * C


def decode_flops(config: GPTConfig, rows: int, cached: int) -> float:
    """What it computes: two operations a weight and row, and attention to what is cached."""
    V, T, C = config.vocab_size, config.context_length, config.d_model
    only_looked_up = T * C + (0 if config.tied_embeddings else V * C)
    used = count_parameters(config) - only_looked_up
    return rows * (2 * used + 4 * cached * config.n_layers * C)


def predicted(machine: Machine, config: GPTConfig, rows: int, cached: int, width: float = 4):
    """The seconds of one step of decoding at least."""
    work = decode_bytes(config, rows, cached, width), decode_flops(config, rows, cached)
    return machine.seconds(*work)


@torch.no_grad()
def step_seconds(model: GPT, rows: int, cached: int, times: int = 5) -> float:
    """The seconds of one step of decoding, measured. Raises ValueError without room for it."""
    if cached < 1 or cached + times > model.config.context_length:
        raise ValueError(f"{cached} + {times} tokens: the context is {model.config.context_length}")
    cache, known = KVCache(model, rows, cached + times), [[0] * cached for _ in range(rows)]
    next_logits(model, known, cache)

    def step() -> None:
        for row in known:
            row.append(0)
        next_logits(model, known, cache)

    return fastest(step, times)
