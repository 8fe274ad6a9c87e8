"""The rules on the book's notebooks, and on notebooks that break them."""

import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.book import rules
from tests.notebooks import CHAPTERS, NOTEBOOKS, ROOT, tags

NAMES = [str(path.relative_to(ROOT / "notebooks")) for path in NOTEBOOKS]

EVERYWHERE = [
    rules.counts,
    rules.honest_tags,
    rules.optional_cells,
    rules.independence,
    rules.size,
    rules.prose_numbers,
    rules.told_words,
    rules.outputs_stored,
    rules.pictures,
    rules.places,
]


def read(path):
    return nbformat.read(path, as_version=4)


def none(problems):
    assert not (found := list(problems)), "\n".join(found)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
@pytest.mark.parametrize(
    "rule",
    EVERYWHERE,
    ids=lambda r: r.__name__,
)
def test_every_notebook(rule, path):
    none(rule(read(path)))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
class TestChapter:
    def test_anatomy(self, path):
        none(rules.anatomy(read(path), rules.chapter_number(path)))

    def test_budget(self, path):
        none(rules.budget(read(path), rules.chapter_number(path)))

    def test_figures(self, path):
        none(rules.figures(read(path), rules.chapter_number(path)))

    def test_formulas(self, path):
        none(rules.formulas(read(path), rules.chapter_number(path)))

    def test_one_definition(self, path):
        none(rules.one_definition(read(path), rules.chapter_number(path)))

    def test_exercises(self, path):
        solutions = read(path.parent / "solutions" / path.name)
        none(rules.exercises(read(path), solutions, rules.chapter_number(path)))


def misspelled(text):
    command = [sys.executable, "-m", "codespell_lib", "--builtin", "clear,rare,en-GB_to_en-US"]
    ran = subprocess.run([*command, "-"], input=text, cwd=ROOT, capture_output=True, text=True)
    assert not ran.stderr, ran.stderr
    return ran.stdout


def test_prose_is_spelled_as_in_America():
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / "book").glob("*.md")]
    cells = [cell.source for path in NOTEBOOKS for cell in read(path).cells]
    assert not misspelled("\n".join([*pages, *cells])), misspelled("\n".join([*pages, *cells]))
    assert misspelled("The colour of the token")


# The first cell


def bootstrap_cells():
    if not NOTEBOOKS:
        pytest.skip("there are no notebooks yet")
    return [rules.code_cells(read(path))[0] for path in NOTEBOOKS]


def test_the_first_cell_is_the_same_in_all_notebooks():
    cells = bootstrap_cells()
    assert len({cell.source for cell in cells}) == 1
    assert all("bootstrap" in tags(cell) for cell in cells)
    assert len(cells[0].source.splitlines()) <= 24


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
    code = bootstrap_cells()[0].source + "\nimport shared.text\nprint(shared.__file__)\n"
    command = [sys.executable, "-c", code]
    here = {"LLM_BOOK_REPO": f"file://{ROOT}", "PATH": os.environ["PATH"]}
    for _ in range(2):
        ran = subprocess.run(command, cwd=place, env=here, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.strip() == str(place / "book" / "shared" / "__init__.py")
    here["LLM_BOOK_REPO"] = f"file://{tmp_path}/nowhere"
    (elsewhere := tmp_path / "elsewhere").mkdir()
    ran = subprocess.run(command, cwd=elsewhere, env=here, capture_output=True, text=True)
    assert ran.returncode != 0 and "nowhere" in ran.stderr


def test_the_first_cell_installs_what_is_missing_and_nothing_else(tmp_path):
    """As where tiktoken and pooch are not installed: pip is asked for them, never for torch."""
    pretend = """
import importlib.util, subprocess
find, absent = importlib.util.find_spec, ("tiktoken", "pooch", "torch")
importlib.util.find_spec = lambda name: None if name in absent else find(name)
subprocess.run = lambda command, check: print(*command)
"""
    command = [sys.executable, "-c", pretend + bootstrap_cells()[0].source]
    ran = subprocess.run(command, cwd=ROOT / "notebooks", capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    asked = ran.stdout.split()
    assert asked[1:4] == ["-m", "pip", "install"]
    wanted = [word.partition("==")[0] for word in asked[4:] if not word.startswith("-")]
    assert wanted == ["tiktoken", "pooch"]


# Planted defects: each rule must see its own


def code(source, *outputs, count=1, tag=None):
    made = [new_output("stream", name="stdout", text=text) for text in outputs]
    metadata = {"tags": [tag]} if tag else {}
    return new_code_cell(source, outputs=made, execution_count=count, metadata=metadata)


def book(*cells):
    return new_notebook(cells=[new_markdown_cell(c) if isinstance(c, str) else c for c in cells])


PLOT = (
    '<figure class="lm-numbered" id="fig-2-1"><div class="lm-figure lm-plot">'
    '<svg aria-label="A curve that falls"><path d="M 417 2"/></svg></div></figure>'
)
BROKEN = code("1 / 0")
BROKEN.outputs.append(new_output("error", ename="ZeroDivisionError", evalue="", traceback=[]))
SHARED = """
def check_shape(tensor, shape):
    if tuple(tensor.shape) == tuple(shape):
        raise AssertionError
"""
SHARED_RIGHT = 'END_OF_TEXT = "<|endoftext|>"'
LOAD = code("text = open('a').read()", tag="requires:the-verdict")
USE = code("def size(x):\n    return len(text) + x")
RIGHT = ["# 2. Text", "## 2.1 One", "## 2.2 Two", "## True or false?"]
RIGHT += ["## What you have built", "## Exercises", "## Going further"]


def instead(old, *new):
    """A chapter's headings, one of them replaced."""
    return book(*[x for heading in RIGHT for x in (new if heading == old else [heading])])


def anatomy_of_2(notebook):
    return rules.anatomy(notebook, "2")


def figures_of_2(notebook):
    return rules.figures(notebook, "2")


def formulas_of_2(notebook):
    return rules.formulas(notebook, "2")


def inline(html):
    return book(code("x", html))


CAPTIONED = 'plots.numbered("2.1", "Loss over the steps", plots.show(fig, "It falls to the end"))'
NAMED = 'caption = "Loss over the steps"\nplots.numbered("2.1", caption, picture)'
FORMATTED = 'plots.numbered("2.1", f"Loss over the steps: {loss:.1f}", picture)'


def captioned(stored, source=CAPTIONED, number="2.1"):
    """A cell with a figure, and the number, caption and alternative text that were stored."""
    made = code(source)
    html = f'<figure class="lm-numbered"><strong>Figure {number}.</strong>'
    data = {"text/html": html, "text/plain": f"Figure: 2.1. {stored}"}
    made.outputs.append(new_output("display_data", data))
    return book(made)


NEW = "def new():\n    pass"
DEFECTS = {
    "count": (rules.counts, book(code("1"), code("2", count=3))),
    "not run": (rules.counts, book(code("1", count=None))),
    "number": (rules.prose_numbers, book("There are 4,711 of them.", code("4712"))),
    "number in math": (rules.prose_numbers, book("It is $2^{16} = 65{,}535$.", code("65536"))),
    "decimal": (rules.prose_numbers, book("The loss is 0.126.", code("x", "0.1249"))),
    "number after in": (rules.prose_numbers, book("Done in 4711 steps.", code("x"))),
    "number in parentheses": (rules.prose_numbers, book("All of them (4711).", code("x"))),
    "number in a figure": (rules.prose_numbers, book("It has 417 parts.", code("x", PLOT))),
    "millions": (rules.prose_numbers, book("It has 125 million.", code("x", "124,439,808"))),
    "two digits": (rules.prose_numbers, book("There are 47 of them.", code("48"))),
    "number beside a source": (
        rules.prose_numbers,
        book("Ours has 4,711. [Lee](https://a.b) has 47.", code("48")),
    ),
    "stored error": (rules.counts, book(BROKEN)),
    "unknown tag": (rules.honest_tags, book(code("1", tag="shard"))),
    "unknown data": (rules.honest_tags, book(code("1", tag="requires:verdict"))),
    "skipped": (rules.honest_tags, book(code("1", tag="nbval-skip"))),
    "skipping comment": (rules.honest_tags, book(code("# NBVAL_IGNORE_OUTPUT\n1"))),
    "no band": (rules.honest_tags, book(code("time()", tag="nbval-ignore-output"), code("2"))),
    "dependent": (rules.independence, book(LOAD, code("print(text)"))),
    "dependent function": (rules.independence, book(LOAD, USE)),
    "dependent inside": (
        rules.independence,
        book(LOAD, code("sizes = lambda: [len(text) for _ in 'ab']")),
    ),
    "overwritten": (rules.independence, book(code("text = ''"), LOAD, code("print(text)"))),
    "other data": (rules.independence, book(LOAD, code("text", tag="requires:gpt2-vocabulary"))),
    "alt in prose": (rules.pictures, book("![](figure.png)")),
    "old caption": (rules.told_words, captioned("Loss over time. It falls to the end")),
    "old number": (rules.told_words, captioned("Loss over the steps. It falls", number="2.2")),
    "old alternative text": (rules.told_words, captioned("Loss over the steps. It rises")),
    "old caption by its name": (rules.told_words, captioned("Loss over time. It falls", NAMED)),
    "old words around a number": (rules.told_words, captioned("Loss over time: 3.2", FORMATTED)),
    "print without output": (rules.outputs_stored, book(code("print(loss)"))),
    "print in a loop": (rules.outputs_stored, book(code("for x in 'ab':\n    print(x)"))),
    "other words printed": (rules.outputs_stored, book(code("print('loss', loss)", "nats 3.2"))),
    "other format": (rules.outputs_stored, book(code("print(f'{x:.1f} nats')", "loss 3.2"))),
    "figure without output": (rules.outputs_stored, book(code("plots.numbered('2.1', a, b)"))),
    "alt to be written": (
        rules.pictures,
        inline('<svg aria-label="Six curves that rise: ALTTEXT">'),
    ),
    "alt in output": (rules.pictures, book(code("x", '<svg viewBox="0 0 1 1">'))),
    "hot link": (rules.pictures, book("![A figure of the model](https://example.org/a.png)")),
    "script": (rules.pictures, book(code("x", '<script src="https://example.org/a.js">'))),
    "optional": (rules.optional_cells, book(code("1", tag="requires:the-verdict"))),
    "hot link without https": (rules.pictures, inline('<img alt="A figure, wide" src="//a.b/c">')),
    "hot image in a figure": (rules.pictures, inline('<image href="https://a.b/c.png"/>')),
    "style": (rules.pictures, inline("<style>@import 'a.css'</style>")),
    "font": (rules.pictures, inline("<p style=\"background:url('https://a.b/c')\">")),
    "request": (rules.pictures, inline("<script>fetch('https://a.b/c')</script>")),
    "frame": (rules.pictures, inline("<iframe src=https://a.b/c>")),
    "package": (rules.places, book(code("x", "/opt/lib/site-packages/torch/nn.py:3: Warning"))),
    "Windows": (rules.places, book(code("x", "C:\\Users\\somebody"))),
    "place": (rules.places, book(code("x", "/home/somebody/book/shared"))),
    "title": (rules.anatomy, book("## 1.1 No title")),
    "order": (
        anatomy_of_2,
        instead("## What you have built", "## Exercises", "## What you have built"),
    ),
    "missing part": (anatomy_of_2, instead("## True or false?")),
    "extra part": (anatomy_of_2, instead("## Exercises", "## Exercises", "## The finished code")),
    "another chapter's number": (anatomy_of_2, instead("## 2.2 Two", "## 3.2 Two")),
    "number left out": (anatomy_of_2, instead("## 2.2 Two", "## 2.3 Two")),
    "title's number": (anatomy_of_2, instead("# 2. Text", "# 3. Text")),
    "second title": (anatomy_of_2, instead("## 2.2 Two", "## 2.2 Two", "# Again")),
    "three cells": (rules.anatomy, book("# A", code("1"), code("2"), code("3"))),
    "fourth level": (rules.anatomy, book("# A", "#### Deep")),
    "size": (rules.size, book(code("x", "a" * 300_000))),
    "definition": (lambda n: rules.one_definition(n, None), book(code(SHARED, tag="shared"))),
    "constant": (
        lambda n: rules.one_definition(n, None),
        book(code('END_OF_TEXT = "<end>"', tag="shared")),
    ),
    "defined nowhere": (lambda n: rules.one_definition(n, None), book(code(NEW, tag="shared"))),
    "not shown": (lambda n: rules.one_definition(n, "2"), book("# 2")),
    "imported before it is shown": (
        lambda n: rules.one_definition(n, None),
        book(
            code("from shared.text import (\n    END_OF_TEXT,\n)"), code(SHARED_RIGHT, tag="shared")
        ),
    ),
    "figure without mention": (figures_of_2, book(code("x", PLOT))),
    "figure out of order": (
        figures_of_2,
        book('<a href="#fig-2-2">2.2</a>', code("x", PLOT.replace("2-1", "2-2"))),
    ),
    "mention without figure": (figures_of_2, book('<a href="#fig-2-1">2.1</a>')),
    "formula without number": (formulas_of_2, book("$$a = b$$", code("a = b"))),
    "formula of another chapter": (formulas_of_2, book(r"$$a \tag{3.1}$$", code("a"))),
    "formula out of order": (
        formulas_of_2,
        book(r"$$a \tag{2.2}$$", code("a"), r"$$b \tag{2.1}$$", code("b")),
    ),
    "formula far from code": (formulas_of_2, book(r"$$a \tag{2.1}$$", "And then", code("a"))),
    "mention without formula": (formulas_of_2, book("See formula (2.1).")),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_planted_defects_are_seen(name):
    rule, notebook = DEFECTS[name]
    assert list(rule(notebook))


@pytest.mark.parametrize("quantity", rules.BUDGET)
def test_budgets_have_two_ends(quantity, monkeypatch):
    fine = {name: least for name, (least, _) in rules.BUDGET.items()}
    for value, accused in zip(
        (rules.BUDGET[quantity][0] - 0.1, *rules.BUDGET[quantity], rules.BUDGET[quantity][1] + 0.1),
        (True, False, False, True),
        strict=True,
    ):
        monkeypatch.setattr(rules, "measure", lambda n, v=value: fine | {quantity: v})
        assert bool(list(rules.budget(book(), "3"))) == accused


def test_measures():
    notebook = book(
        "# 2. Text\n\nFive words of prose `x = 1`.\n\n## 2.1 One\n\n## 2.2 Two",
        code("bootstrap()\n" * 9, tag="bootstrap"),
        code("a = 1\n\nb = 2"),
        code("picture", PLOT, tag="hide-input"),
        code("assert a == 1  # " + "and this is a line of more than eighty columns " * 2),
        "## True or false?\n\n**It is.** Yes.",
        code("shared()\n" * 9, tag="shared"),
        code("data()\n" * 9, tag="requires:the-verdict"),
        "## Exercises\n\n**2.1 By hand.** Do it.\n\n**2.2 By code.** Do it.",
        code("stub()\n" * 9),
    )
    words = 18 + 13  # before and after "Exercises", code not counted
    assert rules.measure(notebook) == {
        "sections": 2,
        "code cells": 6,
        "visible lines of code": 30,
        "median lines of a cell": 9,
        "lines of the longest cell": 9,
        "cells wider than 80": 1,
        "share of silent checks": 0.17,
        "words": words,
        "figures": 1,
        "share of drawn figures": 0,
        "exercises": 2,
        "statements in True or false": 1,
    }


def test_what_is_right_is_not_accused():
    right = book(
        "# A\n\nIn 1908 there were 4,712, and 256 more ([Lee, 2011](https://example.org)).",
        code("4712", '<svg aria-label="Two curves that fall side by side">'),
        "Lee (1908) counts 0.125, $65{,}536$ and 124 million at [a place](https://example.org/999).",
        code("x", "0.1249 65,536 124,439,808 <a href='https://example.org'>a link</a>", count=2),
        code("def size(text):\n    return [len(text) for text in text]", count=3),
        code("size('')\ntext = 1\ntext", count=4),
        code("time()", count=5, tag="nbval-ignore-output"),
        code("assert True", count=6),
    )
    right.cells.insert(2, code("text = 1", count=2))
    right.cells[2].metadata["tags"] = ["requires:the-verdict", "raises-exception"]
    for number, cell in enumerate(rules.code_cells(right), start=1):
        cell.execution_count = number
    none(rules.anatomy(book(*RIGHT), "2"))
    for rule in EVERYWHERE:
        none(rule(right))


def test_a_caption_that_is_stored_as_it_is_written():
    none(rules.told_words(captioned("Loss over the steps. It falls to the end")))
    none(rules.told_words(captioned("Loss over the steps: 3.2", FORMATTED)))
    none(rules.told_words(captioned("Loss over the steps. It rises", NAMED)))
    none(rules.told_words(book(code('plots.numbered("2.1", "Not run so far, nowhere", x)'))))


def test_what_is_printed_and_stored_or_never_printed():
    for right in (
        code("print('loss', loss)", "loss 3.2"),
        code("print(f'loss {loss:.1f}', end='; ')", "loss 3.2; "),
        code("for x in 'ab':\n    print(x, 'ends')", "a ends\nb ends\n"),
        code("def show(x):\n    print(x)"),
        code("if missing:\n    print('nothing there')"),
        code("plots.numbered('2.1', caption, picture)", PLOT),
        code("1 / 0\nprint('never')", tag="raises-exception"),
    ):
        none(rules.outputs_stored(book(right)))


CHECK = "@exercise\ndef check_1_1():\n    assert answer\n"


@pytest.mark.parametrize(
    "solutions",
    [
        book(code(CHECK.replace("1_1", "1_2"), "Exercise 1.2: solved")),
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


def test_an_exercise_of_another_chapter_or_below_other_code():
    chapter = book(code("# later\n" + CHECK, "Exercise 1.1: not yet (no)"))
    solutions = book(code("# later\n" + CHECK, "Exercise 1.1: solved"))
    none(rules.exercises(chapter, solutions))
    assert list(rules.exercises(chapter, solutions, "2"))
    assert list(rules.exercises(chapter, book()))
