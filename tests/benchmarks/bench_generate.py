"""Writing with and without the KV cache, beside transformers; one of `make bench`.

The same weights, fp32, greedy, without dropout, two threads; they take turns, and ratios are
medians over the rounds. Without the cache fewer tokens are written, in the same contexts: 4 at the
beginning, in the middle and at the end of what the others write. The small model has one thread.
"""

from collections.abc import Iterator
from dataclasses import replace
from statistics import median

import torch

from shared.model import GPT, GPT2, TALES, generate
from shared.model.weights import to_gpt2
from tests.benchmarks.row import Row, seconds
from tests.test_gpt import hugging_face

PROMPT, ROUNDS, FEW = 8, 5, 4
GROUP = "Writing"


def twins() -> tuple[GPT, torch.nn.Module]:
    """A random model of GPT-2's size, ours and transformers', with the same weights."""
    config = replace(GPT2["gpt2"], dropout=0.0)
    ours, theirs = GPT(config, torch.Generator().manual_seed(0)).eval(), hugging_face(config).eval()
    theirs.transformer.load_state_dict(to_gpt2(ours))
    return ours, theirs


def without_cache(model: GPT, rows: list[list[int]], n: int) -> float:
    """Seconds to write the last n tokens of these rows without the cache, from 3 * FEW of them."""
    places = (PROMPT, PROMPT + (n - FEW) // 2, PROMPT + n - FEW)
    starts = [[row[:place] for row in rows] for place in places]
    found = sum(seconds(lambda x=x: generate(model, x, FEW, cache=False)) for x in starts)
    return found * n / (len(places) * FEW)


def compare(ours: GPT, theirs: torch.nn.Module, B: int, n: int, bound: float) -> Iterator[Row]:
    """Write n tokens in B rows: ours, transformers', and for a single row ours uncached."""
    ids = torch.randint(50_257, (B, PROMPT), generator=torch.Generator().manual_seed(1))
    options = {"do_sample": False, "min_new_tokens": n, "max_new_tokens": n, "pad_token_id": 0}

    def opponent():
        return theirs.generate(ids, attention_mask=torch.ones_like(ids), **options)

    rows = generate(ours, ids, n)
    same = sum(a == b for a, b in zip(rows, opponent().tolist(), strict=True))
    assert same > 0.8 * B, f"only {same} of {B} rows are the same"
    rounds = []
    for _ in range(ROUNDS):
        own, other = seconds(lambda: generate(ours, ids, n)), seconds(opponent)
        rounds.append((own, other / own, without_cache(ours, rows, n) / own if B == 1 else 0))
    own, ratio, gain = map(median, zip(*rounds, strict=True))
    what, rate = f"124 million parameters, {B} x {n} tokens", (B * n / own, "tokens/s")
    yield Row(GROUP, what, *rate, ratio, "transformers, with its cache", bound)
    if B == 1:
        yield Row(GROUP, what, *rate, gain, "ourselves without a cache", 5.0)


def small(B: int, n: int, bound: float) -> Iterator[Row]:
    """The model of the book."""
    model, prompts = GPT(TALES, torch.Generator().manual_seed(0)).eval(), [[0]] * B
    rounds = []
    for _ in range(ROUNDS):
        own = seconds(lambda: generate(model, prompts, n))
        rounds.append((own, seconds(lambda: generate(model, prompts, n, cache=False)) / own))
    own, gain = map(median, zip(*rounds, strict=True))
    what, rate = f"1.09 million parameters, {B} x {n} tokens, one thread", B * n / own
    yield Row(GROUP, what, rate, "tokens/s", at_least=bound)
    yield Row(GROUP, what, rate, "tokens/s", gain, "ourselves without a cache")


def rows() -> Iterator[Row]:
    torch.set_num_threads(2)
    models = twins()
    yield from compare(*models, B=1, n=200, bound=1.2)
    yield from compare(*models, B=16, n=60, bound=1.0)
    torch.set_num_threads(1)
    yield from small(B=1, n=200, bound=500)
    yield from small(B=16, n=200, bound=500)
    torch.set_num_threads(2)


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
