"""tinyshakespeare by character with nanoGPT's setting for a CPU; one of `make bench`.

4 layers, 4 heads, width 128, windows of 64, batches of 12, 2,000 steps, no dropout, 65 characters:
nanoGPT's README (https://github.com/karpathy/nanoGPT) reports a validation loss of 1.88.
Needs the text (see shared/book/data.py).
"""

import time

import torch

from shared.book import available, fetch
from shared.model import GPT, GPTConfig, count_parameters
from shared.training import Recipe, evaluate, random_windows, start_narrow, train

T, B = 64, 12


def main() -> None:
    if not available("tinyshakespeare"):
        print("tinyshakespeare can't be had here")
        return
    torch.set_num_threads(2)
    text = fetch("tinyshakespeare").read_text()
    characters = sorted(set(text))
    ids = torch.tensor([characters.index(character) for character in text])
    n = int(0.9 * len(ids))  # as nanoGPT divides it
    rows = ids[n:].unfold(0, T + 1, T)
    config = GPTConfig(len(characters), T, 128, 4, 4)
    model = GPT(config, torch.Generator().manual_seed(0))
    start_narrow(model)
    recipe = Recipe(steps=2000, lr=4e-3, muon_lr=0.02, warmup=100)
    start, reached = time.perf_counter(), None
    for record in train(model, random_windows(ids[:n], T, B), recipe):
        if (record.step + 1) % 100 == 0:
            loss = evaluate(model, rows[:, :-1], rows[:, 1:])
            reached = reached or (record.step + 1 if loss <= 1.88 else None)
            seconds = time.perf_counter() - start
            if (record.step + 1) % 500 == 0:
                print(f"step {record.step + 1}: {loss:.3f}, {seconds:.0f} s", flush=True)
    print(f"{count_parameters(config):,} parameters; 1.88 after {reached} steps, nanoGPT: 2000")


if __name__ == "__main__":
    main()
