"""The rules on the book's notebooks, and on notebooks that break them."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.book import rules
from tests.notebooks import NOTEBOOKS, ROOT, tags

CHAPTERS = [path for path in NOTEBOOKS if path.parent.name == "notebooks" and path.name[0] in "0A"]
NAMES = [str(path.relative_to(ROOT / "notebooks")) for path in NOTEBOOKS]


def read(path):
    return nbformat.read(path, as_version=4)


def none(problems):
    assert not (found := list(problems)), "\n".join(found)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
@pytest.mark.parametrize(
    "rule",
    [rules.counts, rules.prose_numbers, rules.pictures, rules.optional_cells, rules.places],
    ids=lambda r: r.__name__,
)
def test_every_notebook(rule, path):
    none(rule(read(path)))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
class TestChapter:
    def test_anatomy(self, path):
        none(rules.anatomy(read(path), rules.chapter_number(path)))

    def test_budget(self, path):
        none(rules.budget(read(path), path.stat().st_size, rules.chapter_number(path)))

    def test_one_definition(self, path):
        none(rules.one_definition(read(path), rules.chapter_number(path)))

    def test_exercises(self, path):
        none(rules.exercises(read(path), read(path.parent / "solutions" / path.name)))


# The first cell


def bootstrap_cells():
    return [rules.code_cells(read(path))[0] for path in NOTEBOOKS]


def test_the_first_cell_is_the_same_in_all_notebooks():
    cells = bootstrap_cells()
    assert len({cell.source for cell in cells}) == 1
    assert all("bootstrap" in tags(cell) for cell in cells)
    assert len(cells[0].source.splitlines()) <= 20


def test_the_repository_has_one_address():
    address = rules.repository()
    assert f'"{address}"' in bootstrap_cells()[0].source
    for page in ("README.md", "CITATION.cff"):
        assert address in (ROOT / page).read_text(encoding="utf-8")


def test_the_first_cell_in_an_empty_folder(tmp_path):
    """As in Colab: no repository around, so it is cloned; run twice, it is cloned once."""
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the book is no git repository")
    (place := tmp_path / "colab").mkdir()
    code = bootstrap_cells()[0].source + "\nimport shared.tokenizer\nprint(shared.__file__)\n"
    command = [sys.executable, "-c", code]
    here = {"LLM_BOOK_REPO": f"file://{ROOT}", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    for _ in range(2):
        ran = subprocess.run(command, cwd=place, env=here, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.strip() == str(place / "book" / "shared" / "__init__.py")
    here["LLM_BOOK_REPO"] = f"file://{tmp_path}/nowhere"
    (elsewhere := tmp_path / "elsewhere").mkdir()
    ran = subprocess.run(command, cwd=elsewhere, env=here, capture_output=True, text=True)
    assert ran.returncode != 0 and "nowhere" in ran.stderr


# Planted defects: each rule must see its own


def code(source, *outputs, count=1, tag=None):
    made = [new_output("stream", name="stdout", text=text) for text in outputs]
    metadata = {"tags": [tag]} if tag else {}
    return new_code_cell(source, outputs=made, execution_count=count, metadata=metadata)


def book(*cells):
    return new_notebook(cells=[new_markdown_cell(c) if isinstance(c, str) else c for c in cells])


SHARED = """
def check_shape(tensor, shape):
    if tuple(tensor.shape) == tuple(shape):
        raise AssertionError
"""
DEFECTS = {
    "count": (rules.counts, book(code("1"), code("2", count=3))),
    "not run": (rules.counts, book(code("1", count=None))),
    "number": (rules.prose_numbers, book("There are 4,711 of them.", code("4712"))),
    "alt in prose": (rules.pictures, book("![](figure.png)")),
    "alt in output": (rules.pictures, book(code("x", '<svg viewBox="0 0 1 1">'))),
    "hot link": (rules.pictures, book("![A figure of the model](https://example.org/a.png)")),
    "script": (rules.pictures, book(code("x", '<script src="https://example.org/a.js">'))),
    "optional": (rules.optional_cells, book(code("1", tag="requires:the-verdict"))),
    "place": (rules.places, book(code("x", "/home/somebody/book/shared"))),
    "title": (rules.anatomy, book("## 1.1 No title")),
    "three cells": (rules.anatomy, book("# A", code("1"), code("2"), code("3"))),
    "fourth level": (rules.anatomy, book("# A", "#### Deep")),
    "size": (lambda notebook: rules.budget(notebook, 301_000), book("# A")),
    "definition": (lambda n: rules.one_definition(n, None), book(code(SHARED, tag="shared"))),
    "not shown": (lambda n: rules.one_definition(n, "2"), book("# 2")),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_planted_defects_are_seen(name):
    rule, notebook = DEFECTS[name]
    assert list(rule(notebook))


def test_what_is_right_is_not_accused():
    right = book(
        "# A\n\nIn 1908 there were 4,712, and 256 more ([Lee, 2011](https://example.org)).",
        code("4712", '<svg aria-label="Two curves that fall side by side">'),
    )
    for rule in (rules.counts, rules.prose_numbers, rules.pictures, rules.places):
        none(rule(right))


CHECK = "@exercise\ndef check_1_1():\n    assert answer\n"


@pytest.mark.parametrize(
    "solutions",
    [
        book(),
        book(code(CHECK, "Exercise 1.1: not yet")),
        book(code(CHECK + "# another", "Exercise 1.1: solved")),
    ],
)
def test_solutions_that_do_not_fit(solutions):
    chapter = book(code(CHECK, "Exercise 1.1: not yet (no)"))
    assert list(rules.exercises(chapter, solutions))
    none(rules.exercises(chapter, book(code(CHECK, "Exercise 1.1: solved"))))


def test_an_exercise_that_is_solved_in_the_chapter():
    solved = book(code(CHECK, "Exercise 1.1: solved"))
    assert list(rules.exercises(solved, solved))
