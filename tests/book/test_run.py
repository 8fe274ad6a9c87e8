"""Running a notebook in place: what it stores, what it leaves, and when it writes nothing."""

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_output

from tests import run
from tests.book.test_notebooks import book, code


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """stored(cells) -> the path of a notebook; gpt2-weights can't be had."""
    monkeypatch.setattr(run, "missing_data", lambda cell: cell.metadata.get("tags", [])[:1])

    def store(*cells):
        notebook = book(*cells)
        notebook.metadata["widgets"] = {"state": 1}
        nbformat.write(notebook, tmp_path / "01_test.ipynb")
        return tmp_path / "01_test.ipynb"

    return store


def test_a_notebook_in_place(stored, capsys):
    path = stored(
        "# Title",
        code("import sys, pathlib", count=7),
        code("print(1, flush=True); print(2)\n_ = sys.stderr.write('e')", "old\n", count=3),
        code("unknown", "kept\n", count=9, tag="requires:gpt2-weights"),
        code("sorted(p.name for p in pathlib.Path().glob('*.ipynb'))", count=None),
    )
    run.run(path)
    assert "without requires:gpt2-weights" in capsys.readouterr().out
    notebook = nbformat.read(path, as_version=4)
    _, first, second, third, fourth = notebook.cells
    assert [cell.execution_count for cell in (first, second, third, fourth)] == [1, 2, 3, 4]
    assert sorted((o.name, o.text) for o in second.outputs) == [
        ("stderr", "e"),
        ("stdout", "1\n2\n"),
    ]
    assert third.outputs[0].text == "kept\n"
    assert fourth.outputs[0].data["text/plain"] == "['01_test.ipynb']"
    assert fourth.outputs[0].execution_count == 4
    assert "widgets" not in notebook.metadata
    assert "version" not in notebook.metadata.language_info
    assert all("execution" not in cell.metadata for cell in notebook.cells)
    before = path.read_bytes()
    run.run(path)
    assert path.read_bytes() == before, "a second run changes nothing"


def test_a_progress_bar_goes_where_no_output_is_compared():
    bar = {"text/plain": " 0%| | 0/9 [00:00<?, ?it/s]"}
    notebook = book(code("fit()", "3\n"), code("fit()", "3\n", tag="nbval-ignore-output"))
    for cell in notebook.cells:
        cell.outputs.insert(0, new_output("display_data", bar))
    run.tidy(notebook)
    assert [len(cell.outputs) for cell in notebook.cells] == [2, 1]


@pytest.mark.parametrize("tag", [None, "raises-exception"])
def test_an_error_writes_nothing(stored, monkeypatch, tag):
    monkeypatch.setattr(run, "missing_data", lambda cell: [])
    path = stored(code("print(1)"), code("1 / 0", tag=tag))
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run.run(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
