"""A token file of a billion tokens: memory and speed.  python -m tests.benchmarks.bench_tokenfile

Needs 2 GB of disk for as long as it runs. B = 16 windows of T = 128, as in pretraining.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from shared.text import TokenFile, make_loader
from tests.test_batches import resident


def main(n: int = 10**9) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if shutil.disk_usage(folder).free < 3 * n:
            sys.exit(f"{folder} has no room for {2 * n / 1e9:.1f} GB")
        part = np.random.default_rng(0).integers(0, 1024, 10**6, dtype=np.uint16)
        start = time.perf_counter()
        file = TokenFile.write(Path(folder) / "ids.npy", (part for _ in range(n // 10**6)), 1024)
        print(
            f"wrote {n:,} tokens at {n / (time.perf_counter() - start) / 1e6:.0f} million a second"
        )

        before, start = resident(), time.perf_counter()
        for i in range(0, n, 10**6):
            file[i : i + 10**6]
        rate = n / (time.perf_counter() - start)
        print(f"in order: {rate / 1e6:.0f} million tokens a second, "
              f"{(resident() - before) / 1e6:+.0f} MB of memory")  # fmt: skip

        # shuffling n / T windows would need 8 bytes for each; sampling with replacement does not
        generator = torch.Generator().manual_seed(0)
        batches, before, start = 2000, resident(), time.perf_counter()
        sampler = torch.utils.data.RandomSampler(
            range(n // 128), replacement=True, num_samples=16 * batches, generator=generator
        )
        for x, y in make_loader(file, 128, 128, 16, sampler=sampler):
            assert x.shape == y.shape == (16, 128)
        rate = batches * 16 * 128 / (time.perf_counter() - start)
        print(f"random windows: {rate / 1e6:.2f} million tokens a second, "
              f"{(resident() - before) / 1e6:+.0f} MB of memory")  # fmt: skip


if __name__ == "__main__":
    main()
