"""The book's page of speeds: measured, stored, and written from what is stored.

    python -m tests.benchmarks.table           measures, which takes ten minutes, stores and writes
    python -m tests.benchmarks.table --page    writes the page again

Speeds belong to one machine; ratios, measured in turns, say more. A quiet machine is needed.
"""

import json
import platform
import sys
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import torch

from shared.book import whole_file
from tests.benchmarks import bench_bpe, bench_generate, bench_train
from tests.benchmarks.row import Row, rounded
from tests.notebooks import ROOT

STORED, PAGE = Path(__file__).with_name("speed.json"), ROOT / "book" / "speed.md"
OTHERS = ("torch", "transformers", "tiktoken", "tokenizers")
HEAD = """# How fast it is

The code of this book is written to be read. How much speed does that cost? Here it is measured against the programs that people use, on the same machine, with the same weights or the same text, each in turn, several times over. The ratios are medians over the rounds. Above 1, the book's code is the faster one.

Measured on {date} with {cpu}, {threads} threads, 32-bit numbers, Python {python}, {versions}. Your machine will have other speeds; the ratios should be similar.
"""  # noqa: E501
FOOT = """
What is compared:

- **Training.** One loop against the other: drawing a batch, forward and backward pass, clipping, AdamW. The opponent is written after [nanoGPT](https://github.com/karpathy/nanoGPT). Its exact GELU is slower on a processor than GPT-2's approximation, which this book uses, so both are measured.
- **Writing.** The same random weights and prompts, always the likeliest token. Most rows come out the same, token by token; a few differ where two tokens are equally likely up to rounding. [The KV cache](code.md) is what makes the difference to ourselves.
- **Byte-pair encoding.** `tiktoken` and `tokenizers` are compiled, ours is Python. A new text is one whose words were not met before: each distinct word has to be merged once, and is then remembered. All three give the same ids.

`make bench` measures all of this anew and writes this page.
"""  # noqa: E501


def machine() -> dict:
    """What the speeds depend on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return {
        "date": date.today().isoformat(),
        "cpu": names[0] if names else platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in OTHERS},
    }


def line(row: Row) -> str:
    ratio = "" if row.ratio is None else rounded(row.ratio)
    return f"| {row.what} | {rounded(row.speed)} {row.unit} | {ratio} | {row.than} |"


def page(stored: dict) -> str:
    """The page in Markdown."""
    about = stored["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    parts = [HEAD.format(**about | {"versions": versions})]
    rows = [Row(**row) for row in stored["rows"]]
    for group, members in groupby(rows, key=lambda row: row.group):
        parts.append(f"\n## {group}\n\n| what | speed | times as fast | as |\n|---|---|---|---|\n")
        parts += [f"{line(row)}\n" for row in members]
    return "".join([*parts, FOOT])


def measured() -> dict:
    """All benchmarks, printed as they come."""
    torch.set_num_threads(2)
    found = {"machine": machine(), "rows": []}
    for module in (bench_train, bench_generate, bench_bpe):
        for row in module.rows():
            print(row, flush=True)
            found["rows"].append(asdict(row))
    return found


if __name__ == "__main__":
    if "--page" not in sys.argv:
        with whole_file(STORED) as file:
            file.write((json.dumps(measured(), indent=1) + "\n").encode())
    PAGE.write_text(page(json.loads(STORED.read_text())), encoding="utf-8")
