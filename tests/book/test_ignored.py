"""The cells whose outputs are run and not compared: all are listed with a reason that holds."""

import re
import tomllib
from functools import cache
from pathlib import Path

import nbformat
import pytest

from conftest import NUMBER, words_of
from tests.book import rules
from tests.book.test_notebooks import PLOT, book, code
from tests.notebooks import NOTEBOOKS, ROOT, tags

LIST = Path(__file__).with_name("ignored.toml")
TIMER = re.compile(  # Python's clocks, and those of shared.practice
    r"\b(perf_counter|process_time|monotonic)\b|\b(fastest|measure|step_seconds)\("
)
BAR = re.compile(r"\btqdm\b")
WRITER = re.compile(
    r"\b(complete|generate|respond|ask|sample|continuations|answers_of|say|write)\("
)
BAND = re.compile(r"\b(?:assert|check_)\b.*(?:[<>]|==|\bin\b|abs\(|all\(|any\(|is_)", re.S)
REASONS = ("time", "progress bar", "written", "trained", "room to be measured", "to be compared")


@cache
def own_names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell makes for later ones, imports left out, and those that it reads."""
    bound, read = rules.names(source)
    imported = re.findall(r"^\s*(?:from [\w.]+ )?import (\([^)]*\)|.+)$", source, re.M)
    return bound - {name for line in imported for name in re.findall(r"\w+", line)}, read


def behind(cells: list, number: int) -> str:
    """The source of a cell, and of the cells that made what it reads, and of those before them."""
    maker, needed = {}, []
    for cell in cells[: number + 1]:
        bound, read = own_names(cell.source)
        before = {i for name in read for i in ([maker[name]] if name in maker else [])}
        needed.append(before.union(*(needed[i] for i in before)))
        maker |= dict.fromkeys(bound, len(needed) - 1)
    return "\n".join(cells[i].source for i in sorted({number, *needed[number]}))


def is_still(cell) -> bool:
    """Whether what is compared of an output can't change: a figure whose words hold no results."""
    shown = re.sub(r"<[^>]*>", " ", words_of(figure := rules.text_of(cell)))
    return "lm-numbered" in figure and {*NUMBER.findall(shown)} <= {*NUMBER.findall(cell.source)}


def is_so(reason: str, cells: list, number: int) -> bool:
    """Whether the reason holds, as far as a program can see it."""
    cell, sources = cells[number], behind(cells, number)
    if reason != "written" and (is_still(cell) or reason == "to be compared"):
        return is_still(cell) and reason == "to be compared"
    if reason == "time":
        return bool(TIMER.search(sources))
    if reason == "progress bar":
        return bool(BAR.search(sources)) and "it/s" in rules.text_of(cell)
    if reason == "written":
        return bool(WRITER.search(sources))
    following = cells[number + 1].source if number + 1 < len(cells) else ""
    return bool(BAND.search(cell.source) or BAND.search(following))


def problems(name: str, notebook, listed: dict[str, str]) -> list[str]:
    """Cells that are not in the list, with the line to paste, and lines that are wrong."""
    cells, found = rules.code_cells(notebook), []
    ignored = {c.id: i for i, c in enumerate(cells) if "nbval-ignore-output" in tags(c)}
    for cell in ignored:
        shown = cells[ignored[cell]].outputs or rules.required(cells[ignored[cell]])
        if not shown:
            found.append(f"{name}: {cell} has no output that could be ignored")
        elif cell not in listed:
            holds = [reason for reason in REASONS if is_so(reason, cells, ignored[cell])]
            found.append(f'["{name}"]   {cell} = "{" | ".join(holds)}"')
    for cell, reason in listed.items():
        if cell not in ignored:
            found.append(f"{name}: {cell} is in the list, and its output is compared: delete it")
        elif reason not in REASONS:
            found.append(f"{name}: {cell} has the reason {reason!r}, none of {', '.join(REASONS)}")
        elif not is_so(reason, cells, ignored[cell]):
            found.append(f"{name}: {cell} is not {reason!r}")
    return sorted(found)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT / "notebooks").with_suffix("").as_posix()


def listed() -> dict[str, dict[str, str]]:
    return tomllib.loads(LIST.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_each_ignored_output_has_its_reason(path):
    name = name_of(path)
    found = problems(name, nbformat.read(path, 4), listed().get(name, {}))
    assert not found, f"in {LIST.relative_to(ROOT)}:\n" + "\n".join(found)


def test_the_list_names_notebooks():
    assert listed().keys() <= {name_of(path) for path in NOTEBOOKS}


TIMED = code("from time import perf_counter\nbegin = perf_counter()", tag=None)
ASSERTED = code("assert loss < 2")


def ignored(source, output="2"):
    cell = code(source, output, tag="nbval-ignore-output")
    cell.id = "here"
    return cell


@pytest.mark.parametrize(
    ("reason", "cells", "number"),
    [
        ("time", [ignored("from time import process_time\nprint(process_time())")], 0),
        ("time", [TIMED, code("hours = begin / 3600"), ignored("print(hours)")], 2),
        ("progress bar", [ignored("for i in tqdm(feed): pass", " 0%| | 0/9 [00:00, ?it/s]")], 0),
        ("written", [code("said = complete(model)"), ignored("print(said)")], 1),
        ("trained", [ignored("print(loss)"), ASSERTED], 0),
        ("trained", [ignored("print(loss)\nassert loss < 2"), code("2")], 0),
        ("to be compared", [ignored("curve(2)", PLOT), ASSERTED], 0),
        (
            "trained",
            [ignored("curve(2, loss)", PLOT.replace("falls", "falls to 0.5")), ASSERTED],
            0,
        ),
    ],
)
def test_what_holds(reason, cells, number):
    assert is_so(reason, cells, number)
    assert problems("a", book(*cells), {"here": reason}) == []
    assert problems("a", book(*cells), {}) != []


@pytest.mark.parametrize(
    ("reason", "cells", "number"),
    [
        ("time", [TIMED, ignored("print(loss)")], 1),
        ("time", [ignored("print(begin)"), TIMED], 0),
        ("time", [code("from time import perf_counter"), ignored("print('done')")], 1),
        ("progress bar", [ignored("for i in tqdm(feed, leave=False): pass", "loss 2")], 0),
        ("progress bar", [ignored("print('it/s')", "it/s")], 0),
        ("written", [code("said = complete(model)"), ignored("print(loss)")], 1),
        ("trained", [ignored("print(loss)"), code("2"), ASSERTED], 0),
        ("trained", [ignored("print(loss)  # asserted nowhere")], 0),
        ("trained", [ASSERTED, ignored("print(loss)")], 1),
        ("unknown", [ignored("print(loss)"), ASSERTED], 0),
        ("trained", [ignored("curve(2)", PLOT), ASSERTED], 0),
        ("to be compared", [ignored("print(loss)"), ASSERTED], 0),
    ],
)
def test_what_does_not_hold(reason, cells, number):
    assert problems("a", book(*cells), {"here": reason}) != []


def test_lines_that_are_superfluous():
    assert problems("a", book(code("2")), {"there": "time"}) != []
    silent = code("loss = 1", tag="nbval-ignore-output")
    assert problems("a", book(silent, ASSERTED), {silent.id: "trained"}) != []
    assert problems("a", book(ignored("print(loss)"), ASSERTED), {}) == [
        '["a"]   here = "trained | room to be measured"'
    ]
