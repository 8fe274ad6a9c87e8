"""Small runs that answer how large, how long and how fast, for chapter 5, kept in one table.

    python -m shared.training.scaling --out new.csv             all of it, hours on one core
    python -m shared.training.scaling --widest 128              without the widest model, an hour
    python -m shared.training.scaling --out new.csv --share 8   with an eighth of the steps

What the table holds is not run again, so that a stopped command goes on.
"""

import argparse
import csv
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import torch

from shared.book import whole_file
from shared.model import CHECKPOINTS, GPT, TALES
from shared.text import END_OF_TEXT, SPECIAL_TOKENS, BPETokenizer, story_windows
from shared.training.feed import rows_and_floor, shuffled
from shared.training.loop import evaluate, train
from shared.training.mentions import carried, second_mentions
from shared.training.recipe import Recipe, start_narrow
from shared.training.report import class_cosines
from shared.world import stories

TABLE = CHECKPOINTS / "scaling.csv"
ADAMW_RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2)
MUON_RATES = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)


@dataclass(frozen=True)
class Run:
    """The settings of one small run on the Tales."""

    experiment: str
    width: int  # d_model; 32 channels a head
    steps: int
    batch: int = 8  # rows of 256 tokens
    lr: float = 4e-3
    muon_lr: float = 0.02  # 0: AdamW alone
    seed: int = 0  # of the first weights and of the order of the rows


@dataclass(frozen=True)
class Moment:
    """What was measured at the end of a run; losses in nats per token."""

    step: int
    tokens: int  # read so far
    gap: float  # validation loss minus the entropy floor
    place: float  # nats above the exact ones where a place is named again
    cosine: float  # mean between the token vectors of places


def grid(share: int = 1) -> list[Run]:
    """All runs of the table, with one `share`-th of their steps."""
    lengths = [1200 // share >> halved for halved in (5, 4, 3, 2, 1, 0)]
    few, more = lengths[0], lengths[2]
    runs = [Run("rate", 64, few, lr=rate, muon_lr=0) for rate in ADAMW_RATES]
    runs += [Run("rate", 64, few, muon_lr=rate) for rate in MUON_RATES]
    runs += [Run("batch", 64, few * 8 // batch, batch) for batch in (2, 4, 8, 16, 32)]
    runs += [Run("optimizer", 128, more, lr=rate, muon_lr=0) for rate in ADAMW_RATES[2:6]]
    runs += [Run("optimizer", 128, more, muon_lr=rate) for rate in MUON_RATES[1:5]]
    for seed in (1, 2):  # where seed 0 ended lowest
        runs.append(Run("optimizer", 128, more, lr=8e-3, muon_lr=0, seed=seed))
        runs.append(Run("optimizer", 128, more, muon_lr=0.04, seed=seed))
    return runs + [Run("scaling", width, n) for n in lengths for width in (32, 64, 128, 256)]


class Lab:
    """The Tales, ready for many small runs."""

    def __init__(self, n_stories: int = 25_000):
        told = [story.text for story in stories(n_stories)]
        self.bpe = BPETokenizer.train(told[:20_000], TALES.vocab_size, SPECIAL_TOKENS)
        T, end = TALES.context_length, self.bpe.special_tokens[END_OF_TEXT]
        self.windows = story_windows(map(self.bpe.encode, told), T, end)
        self.rows, self.floor = rows_and_floor(self.bpe, T)
        self.few = stories(60, split="validation")
        self.mentions = second_mentions(self.few, self.bpe)

    def do(self, run: Run) -> Moment:
        """Train as the settings say, then measure."""
        config = replace(TALES, d_model=run.width, n_heads=max(1, run.width // 32))
        model = GPT(config, torch.Generator().manual_seed(run.seed))
        start_narrow(model)
        feed = shuffled(self.windows[:, :-1], self.windows[:, 1:], run.batch, run.seed)
        recipe = Recipe(run.steps, run.lr, run.muon_lr, warmup=min(50, run.steps // 5))
        for _ in train(model, feed, recipe):
            pass
        gap = evaluate(model, *self.rows) - self.floor
        place = carried(model, self.bpe, self.few, self.mentions)["place"]["nats"]
        cosine = class_cosines(model, self.bpe)["places"]
        tokens = run.steps * run.batch * TALES.context_length
        return Moment(run.steps, tokens, *(round(x, 4) for x in (gap, place, cosine)))


def read_table(path: str | Path = TABLE) -> list[tuple[Run, Moment]]:
    """The rows of a table, each a run and a moment of it."""
    with Path(path).open(newline="") as file:
        return [(made(Run, row), made(Moment, row)) for row in csv.DictReader(file)]


def made(kind, row: dict[str, str]):
    """A Run or a Moment from the words of a row."""
    return kind(**{field.name: field.type(row[field.name]) for field in fields(kind)})


def write_table(path: Path, rows: list[tuple[Run, Moment]]) -> None:
    words = [asdict(run) | asdict(moment) for run, moment in rows]
    lines = [",".join(words[0]), *(",".join(map(str, row.values())) for row in words)]
    with whole_file(path) as file:
        file.write(("\n".join(lines) + "\n").encode())


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m shared.training.scaling", None, __doc__)
    parser.add_argument("--out", type=Path, default=TABLE, help="the table, a CSV file")
    parser.add_argument("--share", type=int, default=1, help="divides all numbers of steps")
    parser.add_argument("--widest", type=int, default=256, help="leaves out wider models")
    options = parser.parse_args(words)
    rows = read_table(options.out) if options.out.exists() else []
    runs, done, lab = grid(options.share), {run for run, _ in rows}, Lab()
    for run in runs:
        if run not in done and run.width <= options.widest:
            moment = lab.do(run)
            rows.append((run, moment))
            rows.sort(key=lambda row: runs.index(row[0]) if row[0] in runs else len(runs))
            write_table(options.out, rows)
            print(run, moment, flush=True)


if __name__ == "__main__":
    main()
