"""Slides: a column for each section, no setup, and the outputs that are stored."""

import re
import subprocess
import sys

import nbformat

from tests.notebooks import ROOT, tags
from tests.slides import make


def test_slides_of_a_chapter(tmp_path):
    chapter = ROOT / "notebooks" / "03_attention.ipynb"
    slides = make(chapter, tmp_path).read_text(encoding="utf-8")
    cells = nbformat.read(chapter, as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    sections = [text for text in texts if text.startswith(("# ", "## "))]
    assert len(re.findall(r"<section><section", slides)) == len(sections) > 10
    shown = [cell for cell in cells if "bootstrap" not in tags(cell)]
    assert slides.count("<section") == len(sections) + len(shown)
    assert "git clone" not in slides and "sys.path.insert" not in slides  # the first cell
    assert slides.count('class="lm-figure') >= 8
    assert not re.search(r'(?:src|href)="(?:https?:)?//[^"]*"(?![^<]*</a>)', slides)


def test_no_such_chapter():
    for names in ([], ["99"]):
        command = [sys.executable, "-m", "tests.slides", *names]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert ran.returncode == 1 and "no chapter of that name" in ran.stderr
