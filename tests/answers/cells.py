"""Runs an exercise of a chapter with an answer: the stub's cell, or another, and then its check.

Of the cells before, only the statements run that the check or an answer needs: no training, no
figures. They come from the chapter itself, so that a check works where the reader meets it.
"""

import ast
import builtins
import contextlib
import io
import re
from functools import cache

import nbformat

from tests.book.rules import check_cells, code_cells, names
from tests.notebooks import CHAPTERS, tags


@cache
def chapter(number: str):
    """The notebook of a chapter: 1, 2, ... or A."""
    path = next(p for p in CHAPTERS if re.match(rf"0?{number}_", p.name))
    return nbformat.read(path, as_version=4)


def parts(exercise: str) -> tuple[list[str], str, str]:
    """The cells before an exercise, the stub, and the check."""
    notebook = chapter(exercise.partition(".")[0])
    cells = [cell for cell in code_cells(notebook) if "bootstrap" not in tags(cell)]
    check = check_cells(notebook)[f"check_{exercise.replace('.', '_')}"]
    place = cells.index(check)
    usable = [c for c in cells[: place - 1] if not any("requires" in tag for tag in tags(c))]
    before = [c.source.partition("@exercise")[0] for c in usable]  # of checks only the imports
    return before, cells[place - 1].source, check.source


def exercises(number: str) -> list[str]:
    """The exercises of a chapter that have a check."""
    return [name.removeprefix("check_").replace("_", ".") for name in check_cells(chapter(number))]


def changed(statement: ast.stmt) -> set[str]:
    """The names whose items or attributes a statement sets, as `W[0] = 1` does."""
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    while targets and any(isinstance(t, ast.Subscript | ast.Attribute) for t in targets):
        targets = [getattr(t, "value", t) for t in targets]
        if all(isinstance(t, ast.Name) for t in targets):
            return {t.id for t in targets}
    return set()


def needed(cells: list[str], wanted: set[str]) -> str:
    """The statements of the cells on which the wanted names depend, in their order."""
    found = []
    for cell in cells:
        for statement in ast.parse(cell).body:
            source = ast.unparse(statement)
            found.append((source, *names(source), changed(statement)))
    chosen, waiting = set(), [(name, len(found)) for name in wanted]
    seen = set(waiting)
    while waiting:
        name, before = waiting.pop()
        places = [i for i, (_, bound, *_) in enumerate(found) if name in bound]
        earlier = [i for i in places if i < before] or places[-1:]
        if not earlier or hasattr(builtins, name):
            continue
        later = [i for i in range(earlier[-1], before) if name in found[i][3]]
        for i in {earlier[-1], *later} - chosen:
            chosen.add(i)
            new = {(name, i) for name in found[i][2]} - seen
            seen |= new
            waiting += new
    return "\n".join(found[i][0] for i in sorted(chosen))


@cache
def prepared(exercise: str, wanted: frozenset[str]) -> dict:
    """What is defined where the exercise comes, as far as it is wanted."""
    space = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(needed(parts(exercise)[0], set(wanted)), space)
    return space


def said(exercise: str, answer: str, others: list[str]) -> str:
    """What the check says of an answer; `others` are all that are tried in the same place."""
    _, stub, check = parts(exercise)
    codes = [stub, check, answer, *others]
    wanted = frozenset().union(*(names(code)[1] for code in codes))
    space, output = dict(prepared(exercise, wanted)), io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(stub, space)
        exec(compile(answer, "<answer>", "exec"), space)
        exec(check, space)
    return output.getvalue()
