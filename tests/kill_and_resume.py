"""A training run that is killed at random moments.  python -m tests.kill_and_resume FOLDER SEED

Each part of the run is a forked child that saves after every step; every other kill waits for that.
At the end the saved state is that of a run that nobody has killed, bit for bit.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from shared.book import read_tensors
from shared.model import GPT, GPTConfig
from shared.training import Recipe, random_windows, train
from shared.training.resume import STATE

KILLS, STEPS = 20, 120


def run(folder: Path) -> None:
    torch.set_num_threads(1)
    model = GPT(GPTConfig(8192, 16, 64, 2, 1, dropout=0.1), torch.Generator().manual_seed(0))
    ids = torch.randint(8192, (500,), generator=torch.Generator().manual_seed(1))
    for _ in train(model, random_windows(ids, 16, 4), Recipe(STEPS), folder=folder, save_every=1):
        pass


def child(folder: Path) -> int:
    """Fork a process that trains, and return its id."""
    if pid := os.fork():
        return pid
    run(folder)
    os._exit(0)


def main(folder: Path, seed: int) -> None:
    whole, killed, moments = folder / "whole", folder / "killed", random.Random(seed)
    start = time.perf_counter()
    os.waitpid(child(whole), 0)
    seconds = time.perf_counter() - start
    kills = left_over = 0
    while True:
        pid = child(killed)
        if kills < KILLS:
            time.sleep(seconds * moments.uniform(0, 0.1) * (kills % 2 == 0))
            until = time.monotonic() + seconds
            while kills % 2 and time.monotonic() < until and not [*killed.glob("*.tmp")]:
                pass
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        left_over += len([*killed.glob("*.tmp")])
        if not os.WIFSIGNALED(status):
            break
        kills += 1
    (one, notes), (other, same_notes) = (read_tensors(run / STATE) for run in (whole, killed))
    same = notes == same_notes and all(torch.equal(one[name], other[name]) for name in one)
    same &= not [*killed.glob("*.tmp")]  # what the last kill left is cleared away
    print(f"{kills} kills, {left_over} unfinished files, equal: {same}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
