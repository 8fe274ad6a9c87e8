"""The rules that every notebook keeps. Each takes a notebook and yields what is wrong with it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from nbformat import NotebookNode

from tests.notebooks import ROOT, tags

SECTIONS = [  # a chapter's headings of the second level, in this order
    r"What you will build",
    r"[\dA]\.\d+ .+",
    r"True or false\?",
    r"The finished code",
    r"Summary",
    r"Exercises",
    r"Going further",
]
BUDGET = {  # least and most; finished code, exercises and cells that need real data don't count
    "sections": (5, 8),
    "code cells": (25, 60),
    "lines of code": (150, 450),
    "median lines of a cell": (1, 8),
    "lines of the longest cell": (1, 30),
    "words": (2500, 6000),
    "words for a line of code": (8, 30),
    "figures": (4, 10),
    "exercises": (4, 8),
    "statements in True or false": (3, 6),
    "kilobytes": (0, 300),
}
FREE = {"shared", "bootstrap", "requires"}
HEADING = re.compile(r"^(#+) (.+)$", re.M)
FENCE = re.compile(r"```.*?```|`[^`\n]*`", re.S)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def text_of(cell: NotebookNode) -> str:
    """All that a code cell has printed or shown."""
    texts = []
    for output in cell.outputs:
        texts += [output.get("text", ""), *output.get("data", {}).values()]
    return "\n".join(map(str, texts))


def headings(notebook: NotebookNode) -> list[tuple[int, str]]:
    text = "\n".join(re.sub(r"```.*?```", "", c.source, flags=re.S) for c in prose_cells(notebook))
    return [(len(marks), title) for marks, title in HEADING.findall(text)]


def counts(notebook: NotebookNode) -> Iterator[str]:
    """Cells were run once, in order, without an error."""
    found = [cell.execution_count for cell in code_cells(notebook)]
    if found != list(range(1, len(found) + 1)):
        yield f"execution counts are {found}, not 1 ... {len(found)}"
    for cell in code_cells(notebook):
        if any(output.output_type == "error" for output in cell.outputs):
            yield f"cell [{cell.execution_count}] stores an error"


def anatomy(notebook: NotebookNode, chapter: str = "1") -> Iterator[str]:
    """The order of a chapter's parts; an appendix need not derive code for others."""
    found = headings(notebook)
    if [level for level, _ in found].count(1) != 1 or found[0][0] != 1:
        yield "a chapter begins with its one title"
    titles = [title for level, title in found if level == 2]
    kinds = [next((i for i, s in enumerate(SECTIONS) if re.fullmatch(s, t)), None) for t in titles]
    needed = {i for i, s in enumerate(SECTIONS) if chapter.isdigit() or "finished" not in s}
    if None in kinds or kinds != sorted(kinds) or needed - {*kinds}:
        yield f"the sections are {titles}"
    if any(level > 3 for level, _ in found):
        yield "there are headings of the fourth level"
    row = "".join(
        "."
        if cell.cell_type == "markdown"
        else "-"
        if {"shared", "bootstrap"} & {*tags(cell)}
        else "c"
        for cell in notebook.cells
    )
    if "ccc" in row:
        yield f"more than two code cells in a row, near cell {row.index('ccc')}"


def measure(notebook: NotebookNode, size: int) -> dict[str, float]:
    """The quantities of BUDGET."""
    exercises = next(
        (i for i, c in enumerate(notebook.cells) if c.source.startswith("## Exercises")), None
    )
    counted = [
        cell
        for cell in notebook.cells[:exercises]
        if cell.cell_type == "code" and not FREE & {tag.split(":")[0] for tag in tags(cell)}
    ]
    lines = [len([x for x in cell.source.splitlines() if x.strip()]) for cell in counted] or [0]
    prose = "\n".join(cell.source for cell in prose_cells(notebook))
    words = len(re.findall(r"\w+", FENCE.sub("", prose)))
    true_or_false = prose.partition("## True or false?")[2].partition("\n## ")[0]
    return {
        "sections": sum(bool(re.match(r"[\dA]\.\d", t)) for k, t in headings(notebook) if k == 2),
        "code cells": len(counted),
        "lines of code": sum(lines),
        "median lines of a cell": median(lines),
        "lines of the longest cell": max(lines),
        "words": words,
        "words for a line of code": words / max(1, sum(lines)),
        "figures": len([cell for cell in code_cells(notebook) if "lm-" in text_of(cell)]),
        "exercises": len(re.findall(r"^\*\*[\dA]\.\d+ ", prose, re.M)),
        "statements in True or false": len(re.findall(r"^\*\*", true_or_false, re.M)),
        "kilobytes": size / 1000,
    }


def budget(notebook: NotebookNode, size: int, chapter: str = "1") -> Iterator[str]:
    """The size of a chapter; an appendix may be half as long."""
    for name, value in measure(notebook, size).items():
        least, most = BUDGET[name]
        least = least if chapter.isdigit() else least / 2
        if not least <= value <= most:
            yield f"{name}: {value:g}, not {least} to {most}"


def prose_numbers(notebook: NotebookNode) -> Iterator[str]:
    """A number of three or more digits in prose occurs in code or output, or has a source."""
    run = "\n".join(cell.source + text_of(cell) for cell in code_cells(notebook))
    known = {n.replace(",", "").replace("_", "") for n in re.findall(r"\d[\d,_]*\d", run)}
    for cell in prose_cells(notebook):
        for paragraph in cell.source.split("\n\n"):
            if re.search(r"\]\(https?://", paragraph):
                continue
            plain = re.sub(r"\]\([^)]*\)|\$.*?\$", "", FENCE.sub("", paragraph))
            for number in re.findall(r"(?<![\w.])\d[\d,]*\d", plain):
                digits = number.replace(",", "")
                if len(digits) >= 3 and digits not in known and not re.search(
                    rf"\([^)]*{digits}\)|in {digits}\b", plain
                ):  # fmt: skip
                    yield f"{number} has neither a run nor a source: {paragraph[:60]!r}"


def pictures(notebook: NotebookNode) -> Iterator[str]:
    """Every picture says in words what it shows, and nothing comes from another host."""
    everything = [cell.source for cell in prose_cells(notebook)]
    everything += [text_of(cell) for cell in code_cells(notebook)]
    for text in everything:
        if re.search(r"!\[\s*\]\(", text):
            yield "an image without alternative text"
        for tag in re.findall(r"<(?:img|svg)\b[^>]*>", text):
            if not re.search(r'(?:alt|aria-label)="[^"]{15,}"', tag):
                yield f"a picture without alternative text: {tag[:80]}"
        if re.search(r"!\[[^]]*\]\(https?:|<(?:img|script|link|iframe)[^>]*https?:", text):
            yield f"something from another host: {text[:80]!r}"
    for cell in code_cells(notebook):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            yield f"cell [{cell.execution_count}] stores a bitmap, which has no alternative text"


def optional_cells(notebook: NotebookNode) -> Iterator[str]:
    """Where data can't be had, "run all" goes on: a front end stops at errors without this tag."""
    for cell in code_cells(notebook):
        needs_data = any(tag.startswith("requires:") for tag in tags(cell))
        if needs_data != ("raises-exception" in tags(cell)):
            yield f"cell [{cell.execution_count}] has the tags {tags(cell)}"


def places(notebook: NotebookNode) -> Iterator[str]:
    """No output names a place on the machine that made it."""
    for cell in code_cells(notebook):
        if found := re.search(r"(?:/home|/root|/tmp|/Users|/work)/\S*|C:\\\S*", text_of(cell)):
            yield f"cell [{cell.execution_count}] shows {found[0]}"


def definitions(source: str) -> dict[str, str]:
    """Functions, classes and constants of a source, as syntax trees without docstrings."""
    found = {}
    for node in ast.parse(source).body:
        for inner in ast.walk(node):
            body = getattr(inner, "body", None)
            if isinstance(inner, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(inner):
                inner.body = body[1:] or [ast.Pass()]
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = ast.dump(node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = ast.dump(node)
    return found


def shared_definitions(chapter: str | None = None) -> dict[str, str]:
    """All of shared/, or what the modules derived in one chapter define."""
    found = {}
    for path in (ROOT / "shared").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        first_line = (ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0]
        if chapter is None or re.search(rf"derived in chapter {chapter}\b", first_line):
            found |= definitions(source)
    return found


def one_definition(notebook: NotebookNode, chapter: str | None) -> Iterator[str]:
    """What a cell tagged `shared` defines stands so in shared/; and the chapter shows it all."""
    cells = [cell.source for cell in code_cells(notebook) if "shared" in tags(cell)]
    shown, everything = definitions("\n".join(cells)), shared_definitions()
    for name, tree in shown.items():
        if everything.get(name) != tree:
            yield f"{name} differs from the one in shared/"
    for name in shared_definitions(chapter) if chapter else {}:
        if name not in shown:
            yield f"{name} is not shown in its chapter"


def check_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The cells that check exercises, by the name of the check."""
    cells = (cell for cell in code_cells(notebook) if cell.source.startswith("@exercise"))
    return {re.search(r"def (\w+)", cell.source)[1]: cell for cell in cells}


def exercises(notebook: NotebookNode, solutions: NotebookNode) -> Iterator[str]:
    """Each check is the same in both: it says "not yet" in the chapter, "solved" afterwards."""
    ours, theirs = check_cells(notebook), check_cells(solutions)
    if ours.keys() != theirs.keys():
        yield f"checks {sorted(ours)} in the chapter, {sorted(theirs)} in the solutions"
    for name in ours.keys() & theirs.keys():
        if ours[name].source != theirs[name].source:
            yield f"{name} is another in the solutions"
        if "not yet" not in text_of(ours[name]) or "solved" not in text_of(theirs[name]):
            yield f"{name}: {text_of(ours[name])!r} in the chapter, {text_of(theirs[name])!r} after"


def repository() -> str:
    """The repository's public address, which stands in _config.yml."""
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    return re.search(r"^ *url: *(\S+)", config, re.M)[1]


def chapter_number(path: Path) -> str:
    return path.name.partition("_")[0].lstrip("0")
