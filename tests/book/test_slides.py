"""Slides: a column for each section, no setup, and the outputs that are stored."""

import re

import nbformat

from tests.notebooks import ROOT
from tests.slides import make


def test_slides_of_a_chapter(tmp_path):
    chapter = ROOT / "notebooks" / "03_attention.ipynb"
    slides = make(chapter, tmp_path).read_text(encoding="utf-8")
    cells = nbformat.read(chapter, as_version=4).cells
    paragraphs = [cell.source for cell in cells if cell.cell_type == "markdown"]
    sections = [text for text in paragraphs if text.startswith(("# ", "## "))]
    assert len(re.findall(r"<section><section", slides)) == len(sections) > 10
    assert slides.count("<section") == len(sections) + len(paragraphs)
    assert "git clone" not in slides and "sys.path.insert" not in slides  # the first cell
    assert slides.count('class="lm-figure') >= 8
