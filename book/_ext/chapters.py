"""What the contents and the notebooks say of each chapter, so that no page repeats it by hand."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
WORDS, LINES = 200, 12  # a minute of reading: words of prose, lines of visible code
SECTION = re.compile(r"^## ([\dAB]\.\d+ .+)$", re.M)
DRAWN = re.compile(r'<div class="lm-figure lm-drawing">(<svg.*?</svg>)', re.S)


@dataclass(frozen=True)
class Chapter:
    """A chapter of the book: `name` is its page, `title` what the contents call it."""

    name: str
    title: str

    @cached_property
    def cells(self) -> list[dict]:
        path = ROOT / f"{self.name}.ipynb"
        return json.loads(path.read_text(encoding="utf-8"))["cells"]

    @cached_property
    def prose(self) -> str:
        return "\n\n".join(source(cell) for cell in self.cells if cell["cell_type"] == "markdown")

    @property
    def sections(self) -> list[str]:
        return SECTION.findall(self.prose)

    @property
    def minutes(self) -> int:
        """To read it with its code, in steps of five."""
        words, lines = len(re.findall(r"\w+", self.prose.split("## Exercises")[0])), 0
        for cell in self.cells:
            hidden = {"bootstrap", "hide-input"} & set(cell["metadata"].get("tags", []))
            if cell["cell_type"] == "code" and not hidden:
                lines += sum(map(bool, source(cell).split("\n")))
        return max(5, 5 * round((words / WORDS + lines / LINES) / 5))

    @property
    def exercise_minutes(self) -> int:
        return sum(map(int, re.findall(r"^\*\*[\dAB]\.\d.*?\((\d+) minutes", self.prose, re.M)))

    @property
    def picture(self) -> str:
        """The first drawing of its own, as SVG: the very first shows the whole book's way."""
        found = [svg for cell in self.cells for svg in DRAWN.findall(html(cell))]
        return found[min(1, len(found) - 1)] if found else ""


def source(cell: dict) -> str:
    return "".join(cell["source"])


def html(cell: dict) -> str:
    shown = [out.get("data", {}) for out in cell.get("outputs", ())]
    return "".join("".join(data.get("text/html", "")) for data in shown)


def chapters() -> list[Chapter]:
    """The chapters and the appendix, in the order of the contents."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [entry for part in contents["parts"] for entry in part["chapters"]]
    return [
        Chapter(entry["file"], entry["title"])
        for entry in files
        if re.fullmatch(r"notebooks/[\dAB]\w*", entry["file"])
    ]
