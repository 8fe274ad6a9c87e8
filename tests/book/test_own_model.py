"""Chapters 6 and 7 on a model that somebody has trained as chapter 5 does, not the shipped one.

It takes twenty minutes, and so runs once a week:  LLM_BOOK_OWN=1 pytest tests/book/test_own_model.py
"""  # noqa: E501

import os
import re

import nbformat
import pytest
from nbclient import NotebookClient

from shared.training.long_run import main as long_run
from tests.notebooks import CHAPTERS, missing_data

STEPS = 1200  # of 8 rows of 256 tokens, as in chapter 5: four to seven minutes on two cores
CHOICE = re.compile(r"\bload_tales\(\)")
LATER = [path for path in CHAPTERS if path.name[:2] in ("06", "07")]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("LLM_BOOK_OWN" not in os.environ, reason="once a week: LLM_BOOK_OWN=1"),
]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The folder of a run as chapter 5 makes one."""
    folder = tmp_path_factory.mktemp("mine")
    words = ["--out", str(folder), "--steps", str(STEPS), "--stories", "25000"]
    long_run([*words, "--eval-every", str(STEPS), "--save-every", str(STEPS)])
    return folder


@pytest.mark.parametrize("path", LATER, ids=lambda path: path.stem)
def test_the_chapter_holds_what_it_states(own, path):
    """Every cell runs, and so every band that is asserted holds."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    chosen = [cell for cell in code if CHOICE.search(cell.source)]
    assert len(chosen) == 1, "one visible line chooses the model"
    chosen[0].source = CHOICE.sub(f"load_run({str(own)!r})", chosen[0].source)
    chosen[0].source = "from shared.model import load_run\n" + chosen[0].source
    notebook.cells = [cell for cell in notebook.cells if not missing_data(cell)]
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": path.parent}}).execute()
