"""Make slides of notebooks:  python -m tests.slides 03  (or any part of a path).

A section (##) begins a column of slides, each paragraph with its code and outputs is one slide.
"""

import sys
from pathlib import Path

import nbformat
from nbconvert import SlidesExporter
from traitlets.config import Config

from tests.notebooks import NOTEBOOKS, ROOT, tags

OPTIONS = {
    "SlidesExporter": {
        "reveal_scroll": True,
        "reveal_number": "c/t",
        "exclude_input_prompt": True,
        "exclude_output_prompt": True,
    },
    "TagRemovePreprocessor": {"enabled": True, "remove_input_tags": ["hide-input"]},
}


def slide_type(cell) -> str:
    """Whether a cell begins a column, begins a slide, goes on with one, or is left out."""
    if "bootstrap" in tags(cell):
        return "skip"
    if cell.cell_type != "markdown":
        return "-"
    return "slide" if cell.source.startswith(("# ", "## ")) else "subslide"


def make(path: Path, folder: Path = ROOT / "_build" / "slides") -> Path:
    """Write the slides of a notebook, outputs as they are stored, and say where."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata["slideshow"] = {"slide_type": slide_type(cell)}
    page, _ = SlidesExporter(config=Config(OPTIONS)).from_notebook_node(notebook)
    folder.mkdir(parents=True, exist_ok=True)
    (made := folder / f"{path.stem}.slides.html").write_text(page, encoding="utf-8")
    return made


if __name__ == "__main__":
    for part in sys.argv[1:]:
        for path in NOTEBOOKS:
            if part in path.name and path.parent.name == "notebooks":
                print(f"The slides are at file://{make(path)}")
