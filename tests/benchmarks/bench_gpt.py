"""One training step of ours against transformers' GPT-2.  python -m tests.benchmarks.bench_gpt

Forward, loss, backward, clipping, AdamW; the same batch, fp32, two threads, taking turns. All
numbers are medians over the rounds, ratios within each round. The ratio that counts is the one of
equal work, neither with dropout; transformers has 0.1 unless told otherwise, which costs it more.
The share of the peak compares with a large matrix product, measured in the same round.
"""

import time
from collections.abc import Iterator
from statistics import median

import torch

from shared.model import GPT, TALES, GPTConfig, next_token_loss
from tests.test_gpt import hugging_face

B, WARM_UP, ROUNDS = 16, 3, 15
SIZES = {"0.94 M": TALES, "11 M": GPTConfig(1024, 128, 384, 6, 6)}


def stepper(model, loss_of):
    """A function that does one training step, on the same data each time."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1024, (B, 129), generator=generator)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def step():
        loss = loss_of(model, ids[:, :-1], ids[:, 1:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def seconds(function) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def flops(config: GPTConfig) -> float:
    """Of the matrix products of one step: forward, and twice that backward."""
    C, T, L, V = config.d_model, config.context_length, config.n_layers, config.vocab_size
    return 3 * 2 * B * T * (L * (12 * C * C + 2 * T * C) + V * C)


def measure(config: GPTConfig) -> Iterator[list[float]]:
    """Seconds of a step of ours, of transformers' without and with dropout, and of a product."""
    a, b = torch.randn(2, 2048, 2048)
    steps = [stepper(GPT(config), lambda model, x, y: next_token_loss(model(x), y))]
    for dropout in (0.0, 0.1):
        theirs = hugging_face(config, dropout).train()
        steps.append(stepper(theirs, lambda m, x, y: next_token_loss(m(x).logits, y)))
    for i in range(WARM_UP + ROUNDS):
        times = [seconds(step) for step in (*steps, lambda: a @ b)]
        if i >= WARM_UP:
            yield times


def main() -> None:
    torch.set_num_threads(2)
    for name, config in SIZES.items():
        rounds = [
            (own, equal / own, usual / own, 2 * 2048**3 / product)
            for own, equal, usual, product in measure(config)
        ]
        own, equal, usual, peak = map(median, zip(*rounds, strict=True))
        share = median(flops(config) / own / peak for own, _, _, peak in rounds)
        print(
            f"{name}: {B * 128 / own:,.0f} tokens a second, {equal:.2f} times transformers "
            f"({usual:.2f} with its dropout of 0.1); {share:.0%} of {peak / 1e9:.0f} GFLOP/s",
            flush=True,
        )


if __name__ == "__main__":
    main()
