"""One training step of ours against transformers' GPT-2.  python -m tests.benchmarks.bench_gpt

Forward, loss, backward, clipping, AdamW; the same batch, fp32, two threads, taking turns. The share
of the peak compares with the fastest matrix product of this machine, measured in the same run.
"""

import time
from statistics import median

import torch

from shared.config import TALES, GPTConfig
from shared.gpt import GPT, next_token_loss
from tests.test_gpt import hugging_face

B, ROUNDS = 16, 15
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


def main() -> None:
    torch.set_num_threads(2)
    a, b = torch.randn(2, 2048, 2048)
    for name, config in SIZES.items():
        ours = stepper(GPT(config), lambda model, x, y: next_token_loss(model(x), y))
        theirs, default = (
            stepper(
                hugging_face(config, dropout).train(),
                lambda m, x, y: next_token_loss(m(x).logits, y),
            )
            for dropout in (0.0, 0.1)
        )
        steps = (ours, theirs, default, lambda: a @ b)
        runs = [[seconds(step) for step in steps] for _ in range(ROUNDS)][3:]
        own, other, usual, product = map(median, zip(*runs, strict=True))
        peak = 2 * 2048**3 / product
        print(
            f"{name}: {B * 128 / own:,.0f} tokens a second, {usual / own:.2f} times transformers "
            f"as it comes (dropout 0.1), {other / own:.2f} times without dropout; "
            f"{flops(config) / own / peak:.0%} of {peak / 1e9:.0f} GFLOP/s"
        )


if __name__ == "__main__":
    main()
