"""The book's page of speeds: measured, stored, and written from what is stored.

    python -m tests.benchmarks.table                   measures all, which takes ten minutes
    python -m tests.benchmarks.table training writing  measures these parts, and keeps the others
    python -m tests.benchmarks.table page              only writes the page again

Speeds belong to one machine; ratios, measured in turns, say more. A quiet machine is needed.
"""

import json
import platform
import sys
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch

from shared.book import whole_file
from tests.benchmarks import bench_bpe, bench_generate, bench_train
from tests.benchmarks.row import Row, rounded
from tests.notebooks import ROOT

STORED, PAGE = Path(__file__).with_name("speed.json"), ROOT / "book" / "speed.md"
OTHERS = ("torch", "transformers", "tiktoken", "tokenizers")
PARTS = {"training": bench_train, "writing": bench_generate, "bpe": bench_bpe}
HEAD = """# How fast it is

The code of this book is written to be read. How much speed does that cost? Here it is measured against the programs that people use, on the same machine, with the same weights or the same text, each in turn, several times over. The ratios are medians over the rounds. Above 1, the book's code is the faster one.

All of it is computed with 32-bit numbers, and with two threads unless said otherwise. Your machine will have other speeds; the ratios should be similar.
"""  # noqa: E501
FOOT = """
What is compared:

- **Training.** One loop against the other: drawing a batch, forward and backward pass, clipping, AdamW. The opponent is written after [nanoGPT](https://github.com/karpathy/nanoGPT). Its exact GELU is slower on a processor than GPT-2's approximation, which this book uses, so both are measured.
- **Writing.** The same random weights and prompts, always the likeliest token. Most rows come out the same, token by token; a few differ where two tokens are equally likely up to rounding. [The KV cache](../notebooks/09_practice.ipynb) is what makes the difference to ourselves.
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
        "python": platform.python_version(),
        "versions": {name: version(name) for name in OTHERS},
    }


def line(row: Row) -> str:
    ratio = "" if row.ratio is None else rounded(row.ratio)
    return f"| {row.what} | {rounded(row.speed)} {row.unit} | {ratio} | {row.than} |"


def section(part: dict) -> str:
    """The rows of one benchmark, and when and where they were measured."""
    rows, about = [Row(**row) for row in part["rows"]], part["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    return (
        f"\n## {rows[0].group}\n\n| what | speed | times as fast | as |\n|---|---|---|---|\n"
        + "".join(f"{line(row)}\n" for row in rows)
        + f"\nMeasured on {about['date']}: {about['cpu']}, Python {about['python']}, {versions}.\n"
    )


def page(stored: dict) -> str:
    """The page in Markdown."""
    return "".join([HEAD, *(section(stored[name]) for name in PARTS if name in stored), FOOT])


def measure(name: str) -> dict:
    """One benchmark, printed as it goes."""
    torch.set_num_threads(2)
    part = {"machine": machine(), "rows": []}
    for row in PARTS[name].rows():
        print(row, flush=True)
        part["rows"].append(asdict(row))
    return part


def main(names: list[str]) -> None:
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    for name in names or PARTS:
        if name != "page":
            stored[name] = measure(name)
            with whole_file(STORED) as file:
                file.write((json.dumps(stored, indent=1) + "\n").encode())
    PAGE.write_text(page(stored), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
