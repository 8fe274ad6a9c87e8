"""The rules that every notebook keeps. Each takes a notebook and yields what is wrong with it."""

import ast
import re
import symtable
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import nbformat
from nbformat import NotebookNode

from conftest import words_of
from shared.book.sources import SOURCES, VOCABULARY
from tests.notebooks import ROOT, tags

SECTIONS = [  # a chapter's headings of the second level, in this order
    r"[\dA-B]\.\d+ .+",
    r"True or false\?",
    r"What you have built",
    r"Exercises",
    r"Going further",
]
BUDGET = {  # least and most; the bootstrap cell does not count, nor folded cells as lines
    "sections": (4, 8),
    "code cells": (35, 60),
    "visible lines of code": (150, 450),
    "median lines of a cell": (1, 7),
    "lines of the longest cell": (1, 25),
    "cells wider than 80": (0, 0),
    "share of silent checks": (0, 0.2),
    "words": (3000, 5000),
    "figures": (8, 12),
    "share of drawn figures": (0.5, 1),
    "exercises": (5, 6),
    "statements in True or false": (2, 3),
}
MORE = {("2", "code cells"): 75}  # where a chapter may have more
SHOWN = {  # what each chapter builds before it is used; the rest of shared/ it may import
    "2": {"split_words", "SlidingWindows", "make_loader"},
    "3": {"causal_weights", "CausalSelfAttention"},
    "4": {"LayerNorm", "FeedForward", "Block", "GPT", "next_token_loss", "count_parameters"},
    "5": {"orthogonal", "cosine"},
    "6": {"GPTClassifier", "LoRALinear"},
    "7": {"collate"},
    "8": {"bradley_terry_loss", "RewardModel", "group_advantages", "dpo_loss"},
    "9": {"visible_keys", "KVCache", "decode_bytes", "quantize", "dequantize", "Constraint"},
}
KILOBYTES = 300  # of any notebook
TAGS = {"shared", "bootstrap", "hide-input", "remove-input", "nbval-ignore-output"}
TAGS |= {"raises-exception"} | {f"requires:{name}" for name in (*SOURCES, VOCABULARY)}
WITHIN = re.compile(r"within:\d+(\.\d+)?%?")  # the room of a cell's numbers: absolute, relative
CHECK = re.compile(r"^\s*(assert |check_)", re.M)
HEADING = re.compile(r"^(#+) (.+)$", re.M)
HOT_LINK = re.compile(  # a page loads it unasked; a link that a reader follows (<a href>) is none
    r"!\[[^]]*\]\((?:https?:)?//"
    r"|<(?!a\b)\w+[^>]*\b(?:src|srcset|href|data|poster|action)\s*=\s*[\"']?\s*(?:https?:)?//"
    r"|url\(\s*[\"']?(?:https?:)?//|@import"
    r"|<script[^>]*>(?:(?!</script>).)*?(?:https?:)?//\w",
    re.I | re.S,
)
YEAR = re.compile(r"(?:\b(?:[Ii]n|[Ss]ince|of) |\(|, )(?:1[89]|20)\d\d\b(?![,.]\d)")
PLACE_IN_BOOK = re.compile(
    r"\\tag\{[\dA-B]\.\d+\}|"  # of a formula
    r"\b(?:section|figure|table|exercise|chapter|formula)s? \(?[\dA-B]+"
    r"(?:\.\d+)?(?:(?:,| and| to| or) [\dA-B]+(?:\.\d+)?)*",
    re.I,
)
LIST_NUMBER = re.compile(r"^\W*(?:[\dA-B]+\.)+\d*(?= )", re.M)  # also of headings and exercises
MINUTES = re.compile(r"\(\d+ minutes|^\W*\d+-\d+(?= \|)")  # of an exercise, of a class
UNITS = {"million": 1e6, "billion": 1e9, "percent": 0.01, "%": 0.01}
FILE = re.compile(r"\S+\.(?:ipynb|py|md)\b")
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


def honest_tags(notebook: NotebookNode) -> Iterator[str]:
    """Every tag is one of ours, and none but `nbval-ignore-output` hides an output from tests."""
    cells = code_cells(notebook)
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if wrong := {tag for tag in tags(cell) if not WITHIN.fullmatch(tag)} - TAGS:
            yield f"cell [{cell.execution_count}] has the tag {', '.join(sorted(wrong))}"
        if re.search(r"^\s*#+\s*(NBVAL_|PYTEST_VALIDATE)\w+", cell.source, re.M):
            yield f"cell [{cell.execution_count}] hides something from the tests by a comment"
        asserted = cell.source + (following.source if following else "")
        if "nbval-ignore-output" in tags(cell) and not re.search(r"\b(assert|check_)", asserted):
            yield f"cell [{cell.execution_count}] ignores its output, and no line asserts its band"


def required(cell: NotebookNode) -> set[str]:
    return {tag for tag in tags(cell) if tag.startswith("requires:")}


def names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell binds for later cells, and those that it reads from earlier ones."""
    lines = [line for line in source.splitlines() if not line.startswith(("%", "!"))]
    cell = symtable.symtable("\n".join(lines), "cell", "exec")
    symbols, scopes = cell.get_symbols(), cell.get_children()
    bound = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
    read = {s.get_name() for s in symbols if s.is_referenced()}
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        read |= {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()}
    return bound, read - bound


def independence(notebook: NotebookNode) -> Iterator[str]:
    """Nothing depends on a cell that is skipped where its data can't be had."""
    needs = {}  # of each name, what the cell that bound it last requires
    for cell in code_cells(notebook):
        bound, read = names(cell.source)
        for name in sorted(read):
            if lacking := needs.get(name, set()) - required(cell):
                yield f"cell [{cell.execution_count}] reads {name}, which {min(lacking)} made"
        needs |= dict.fromkeys(bound, required(cell))


def size(notebook: NotebookNode) -> Iterator[str]:
    """What a reader's browser has to load."""
    kilobytes = len(nbformat.writes(notebook).encode()) / 1000
    if kilobytes > KILOBYTES:
        yield f"{kilobytes:.0f} kB, more than {KILOBYTES}"


def anatomy(notebook: NotebookNode, chapter: str = "1") -> Iterator[str]:
    """The order of a chapter's parts; an appendix need not derive code for others."""
    found = headings(notebook)
    if [level for level, _ in found].count(1) != 1 or found[0][0] != 1:
        yield "a chapter begins with its one title"
    titles = [title for level, title in found if level == 2]
    kinds = [next((i for i, s in enumerate(SECTIONS) if re.fullmatch(s, t)), None) for t in titles]
    if None in kinds or kinds != sorted(kinds) or {*range(len(SECTIONS))} - {*kinds}:
        yield f"the sections are {titles}"
    numbers = [title.split()[0] for title in titles if re.match(SECTIONS[0], title)]
    if numbers != [f"{chapter}.{i}" for i in range(1, len(numbers) + 1)]:
        yield f"the sections of chapter {chapter} have the numbers {', '.join(numbers)}"
    if found and not found[0][1].startswith(f"{chapter}. "):
        yield f"the title of chapter {chapter} is {found[0][1]}"
    if any(level > 3 for level, _ in found):
        yield "there are headings of the fourth level"
    row = "".join("." if cell.cell_type == "markdown" else "c" for cell in notebook.cells)
    if "ccc" in row:
        yield f"more than two code cells in a row, near cell {row.index('ccc')}"


def measure(notebook: NotebookNode) -> dict[str, float]:
    """The quantities of BUDGET."""
    cells = [cell for cell in code_cells(notebook) if "bootstrap" not in tags(cell)]
    seen = [cell.source for cell in cells if "hide-input" not in tags(cell)] or [""]
    lines = [len([line for line in source.splitlines() if line.strip()]) for source in seen]
    wide = [cell for cell in cells if max(map(len, cell.source.splitlines()), default=0) > 80]
    silent = [cell for cell in cells if CHECK.search(cell.source) and not cell.outputs]
    prose = "\n".join(cell.source for cell in prose_cells(notebook))
    true_or_false = prose.partition("## True or false?")[2].partition("\n## ")[0]
    figures = "\n".join(text_of(cell) for cell in cells).split('class="lm-numbered"')[1:]
    plotted = sum("lm-plot" in figure for figure in figures)
    return {
        "sections": sum(bool(re.match(r"[\dA-B]\.\d", t)) for k, t in headings(notebook) if k == 2),
        "code cells": len(cells),
        "visible lines of code": sum(lines),
        "median lines of a cell": median(lines),
        "lines of the longest cell": max(lines),
        "cells wider than 80": len(wide),
        "share of silent checks": round(len(silent) / max(1, len(cells)), 2),
        "words": len(re.findall(r"\w+", FENCE.sub("", prose))),
        "figures": len(figures),
        "share of drawn figures": 1 - plotted / max(1, len(figures)),
        "exercises": len(re.findall(r"^\*\*[\dA-B]\.\d+ ", prose, re.M)),
        "statements in True or false": len(re.findall(r"^\*\*", true_or_false, re.M)),
    }


def budget(notebook: NotebookNode, chapter: str = "1") -> Iterator[str]:
    """The size of a chapter; an appendix may be a third as long."""
    for name, value in measure(notebook).items():
        least, most = BUDGET[name]
        most = MORE.get((chapter, name), most)
        least = least if chapter.isdigit() or least <= 1 else least / 3
        if not least <= value <= most:
            yield f"{name}: {value:g}, not {least:g} to {most:g}"


def figures(notebook: NotebookNode, chapter: str = "1") -> Iterator[str]:
    """Figures are numbered as they come, and the text speaks of each."""
    shown = re.findall(r'id="fig-([\dA-B]+-\d+)"', "\n".join(map(text_of, code_cells(notebook))))
    wanted = [f"{chapter}-{i}" for i in range(1, len(shown) + 1)]
    if shown != wanted:
        yield f"the figures are {shown}, not {wanted}"
    prose = "\n".join(cell.source for cell in prose_cells(notebook))
    for number in shown:
        if f'href="#fig-{number}"' not in prose:
            yield f"the text does not speak of figure {number}"
    for number in re.findall(r'href="#fig-([\w-]+)"', prose):
        if number not in shown:
            yield f"the text speaks of figure {number}, which is not there"


def formulas(notebook: NotebookNode, chapter: str = "1") -> Iterator[str]:
    """Displayed formulas are numbered as they come, each beside code or spoken of in the text."""
    prose, shown = "\n".join(cell.source for cell in prose_cells(notebook)), []
    for cell, *after in zip(notebook.cells, [*notebook.cells[1:], None], strict=True):
        if cell.cell_type == "markdown":
            for formula in re.findall(r"\$\$(.+?)\$\$", cell.source, re.S):
                number = (re.findall(r"\\tag\{(.+?)\}", formula) or [formula[:40]])[0]
                shown.append(number)
                beside = after[0] is not None and after[0].cell_type == "code"
                if not beside and f"formula ({number})" not in prose:
                    yield f"no code beside formula {number}, and the text does not speak of it"
    wanted = [f"{chapter}.{i}" for i in range(1, len(shown) + 1)]
    if shown != wanted:
        yield f"the formulas are {shown}, not {wanted}"
    for number in re.findall(rf"formula \(({chapter}\.\d+)\)", prose):
        if number not in shown:
            yield f"the text speaks of formula {number}, which is not there"


def numbers_in(text: str, least: int = 2) -> set[str]:
    """The numbers of two or more digits, without the commas that group them."""
    found = re.findall(r"(?<![\w.,])\d[\d,_]*(?:\.\d+)?", text.replace("{,}", ","))
    plain = {re.sub(r"[,_]", "", number) for number in found}
    return {number for number in plain if sum(map(str.isdigit, number)) >= least}


def sentences(text: str) -> Iterator[str]:
    """Sentences of prose without code, links' addresses, and numbers that only count or date.

    Left out are those with a source, a link to elsewhere, and those that follow one directly.
    """
    for part in re.split(r"\n\n|\n(?=\s*[-*|>]|\s*\d+\.)", FENCE.sub("`", text)):
        sourced = False
        for sentence in re.split(r"(?<=[.!?])\s+(?=[\W\dA-Z])", part):
            follows, sourced = sourced, bool(re.search(r"\]\(https?://", sentence))
            if not (sourced or follows):
                plain = re.sub(r"\]\([^)]*\)|<[^>]*>", " ", sentence)
                for pattern in (FILE, YEAR, PLACE_IN_BOOK, LIST_NUMBER, MINUTES):
                    plain = pattern.sub(" ", plain)
                yield plain


def is_known(number: str, sentence: str, known: set[str]) -> bool:
    """Whether a number is one of those known, rounded, in percent, or in millions."""
    if {number, f"{number}.0"} & known:
        return True
    digits = rf"(?<![\d.,]){re.escape(number)}"
    after = re.search(digits + r"\W?\W?(million|billion|percent|%)", sentence)
    units = [UNITS[after[1]]] if after else []
    decimals = len(number.partition(".")[2])
    units += [1] if decimals else []
    return any(f"{float(k) / unit:.{decimals}f}" == number for k in known for unit in units)


def unproved(text: str, known: set[str]) -> Iterator[str]:
    """The numbers of two or more digits in prose that are not known and have no source."""
    for sentence in sentences(text):
        written = sentence.replace("{,}", "").replace(",", "")
        for number in sorted(numbers_in(sentence)):
            if not is_known(number, written, known):
                yield f"{number} has neither a run nor a source: {sentence.strip()[:90]!r}"


def numbers_of(notebook: NotebookNode) -> set[str]:
    """The numbers in the code and in the outputs of a notebook."""
    cells = code_cells(notebook)
    return numbers_in("\n".join(c.source + "\n" + words_of(text_of(c)) for c in cells), least=1)


def prose_numbers(notebook: NotebookNode) -> Iterator[str]:
    """A number of two or more digits in prose occurs in code or output, or has a source.

    Prose may round a decimal, or to millions, and speak of percent. The coordinates in a figure
    are no source.
    """
    known = numbers_of(notebook)
    for cell in prose_cells(notebook):
        yield from unproved(cell.source, known)


def pieces(node: ast.expr, assigned: dict[str, ast.expr]) -> Iterator[str]:
    """The parts of a text that are written out in the code, also in f-strings and by a name."""
    if isinstance(node, ast.Name):
        node = assigned.get(node.id, node)
    for part in node.values if isinstance(node, ast.JoinedStr) else [node]:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def constant_words(source: str) -> Iterator[str]:
    """The numbers, captions and alternative texts in a cell, as far as they are written out."""
    tree = ast.parse(re.sub(r"^[%!].*", "", source, flags=re.M))
    set_once = [n for n in ast.walk(tree) if isinstance(n, ast.Assign) and len(n.targets) == 1]
    names = [n.targets[0].id for n in set_once if isinstance(n.targets[0], ast.Name)]
    values = {getattr(n.targets[0], "id", ""): n.value for n in set_once}
    assigned = {name: values[name] for name in names if names.count(name) == 1}
    for node in ast.walk(tree):
        name = getattr(getattr(node, "func", None), "attr", "")
        if name in ("numbered", "show", "from_svg", "drawing"):
            first = 0 if name == "numbered" else 1  # its first argument is the figure's number
            given = [*node.args[first:], *(k.value for k in node.keywords if k.arg == "alt")]
            yield from (piece for one in given for piece in pieces(one, assigned))


def told_words(notebook: NotebookNode) -> Iterator[str]:
    """Numbers, captions and alternative texts that are stored are those of the code beside them."""
    for cell in code_cells(notebook):
        shown = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        if "lm-numbered" in (figure := text_of(cell)):
            for words in constant_words(cell.source):
                if len(words) > 15 and words.strip() not in "".join(shown):
                    yield f"cell [{cell.execution_count}] was not run with {words[:70]!r}"
                number = re.fullmatch(r"[\dA-B]+\.\d+", words)
                if number and f"Figure {words}." not in figure:
                    yield f"cell [{cell.execution_count}] was not run as Figure {words}"


def done(statements: list[ast.stmt]) -> Iterator[ast.expr]:
    """The expressions that a cell evaluates whatever happens, loops taken to run."""
    for statement in statements:
        if isinstance(statement, ast.Expr):
            yield statement.value
        elif isinstance(statement, ast.For | ast.With):
            yield from done(statement.body)


def outputs_stored(notebook: NotebookNode) -> Iterator[str]:
    """A cell that prints, or shows a figure, has stored that, with the words that are printed."""
    for cell in code_cells(notebook):
        tree = ast.parse(re.sub(r"^[%!].*", "", cell.source, flags=re.M))
        calls = [node for node in done(tree.body) if isinstance(node, ast.Call)]
        shown = "".join(output.get("text", "") for output in cell.outputs)
        for call in [] if "raises-exception" in tags(cell) else calls:
            if getattr(call.func, "id", "") == "print":
                words = [piece.strip() for one in call.args for piece in pieces(one, {})]
                if not shown:
                    yield f"cell [{cell.execution_count}] prints, and no output is stored"
                elif missing := [w for w in words if w not in shown]:
                    yield f"cell [{cell.execution_count}] was not run with {missing[0][:70]!r}"
            if getattr(call.func, "attr", "") == "numbered" and "lm-numbered" not in text_of(cell):
                yield f"cell [{cell.execution_count}] has a figure, and none is stored"


def pictures(notebook: NotebookNode) -> Iterator[str]:
    """Every picture says in words what it shows, and nothing comes from another host."""
    everything = [(cell.source, False) for cell in prose_cells(notebook)]
    everything += [(text_of(cell), True) for cell in code_cells(notebook)]
    for text, is_output in everything:
        if re.search(r"!\[\s*\]", text) and not is_output:
            yield "an image without alternative text"
        for tag in re.findall(r"<(?:img|svg)\b[^>]*>", text):
            if not re.search(r'(?:alt|aria-label)="[^"]{15,}"', tag):
                yield f"a picture without alternative text: {tag[:80]}"
            if found := re.search(r"ALT ?TEXT|TODO|XXX", tag):
                yield f"an alternative text that is still to be written: {found[0]}"
        if found := HOT_LINK.search(text):
            yield f"something from another host: {found[0][:80]!r}"
    for cell in code_cells(notebook):
        if any({"image/png", "image/jpeg"} & {*output.get("data", {})} for output in cell.outputs):
            yield f"cell [{cell.execution_count}] stores a bitmap, which has no alternative text"


def optional_cells(notebook: NotebookNode) -> Iterator[str]:
    """Where data can't be had, "run all" goes on: a front end stops at errors without this tag."""
    for cell in code_cells(notebook):
        needs_data = any(tag.startswith("requires:") for tag in tags(cell))
        if needs_data != ("raises-exception" in tags(cell)):
            yield f"cell [{cell.execution_count}] has the tags {tags(cell)}"


PLACE = re.compile(
    r"(?:/home|/root|/tmp|/Users|/work|/content)/\S*"
    r"|\S*(?:site-packages|ipykernel_\d)\S*|\b[A-Z]:\\\w\S*"
)


def places(notebook: NotebookNode) -> Iterator[str]:
    """No output names a place on the machine that made it."""
    for cell in code_cells(notebook):
        if found := PLACE.search(text_of(cell)):
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
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            found[ast.unparse(target)] = ast.dump(node)
    return found


def definitions_in_shared() -> dict[str, set[str]]:
    """What all modules of shared/ define, as syntax trees."""
    found = {}
    for path in sorted((ROOT / "shared").rglob("*.py")):
        for name, tree in definitions(path.read_text(encoding="utf-8")).items():
            found.setdefault(name, set()).add(tree)
    return found


def one_definition(notebook: NotebookNode, chapter: str | None) -> Iterator[str]:
    """What a cell tagged `shared` defines stands so in shared/.

    And what a chapter builds is shown before anything of it is imported.
    """
    cells = [cell.source for cell in code_cells(notebook) if "shared" in tags(cell)]
    shown, everything = definitions("\n".join(cells)), definitions_in_shared()
    for name, tree in shown.items():
        if tree not in everything.get(name, set()):
            yield f"{name} differs from the one in shared/"
    for name in sorted(SHOWN.get(chapter, set()) - shown.keys()):
        yield f"{name} is not shown in its chapter"
    waiting = {*shown}
    for cell in code_cells(notebook):
        for name in sorted(waiting & imported(cell.source)):
            yield f"cell [{cell.execution_count}] imports {name} before it is shown"
        if "shared" in tags(cell):
            waiting -= definitions(cell.source).keys()


def imported(source: str) -> set[str]:
    """The names that a cell imports from shared/."""
    found = re.findall(r"^\s*from shared[\w.]* import (\([^)]*\)|.+)$", source, re.M)
    return {name for names in found for name in re.findall(r"\w+", names)}


def check_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The cells that check exercises, by the name of the check."""
    return {
        name: cell
        for cell in code_cells(notebook)
        for name in re.findall(r"^@exercise\ndef (\w+)", cell.source, re.M)
    }


def exercises(notebook: NotebookNode, solutions: NotebookNode, chapter: str = "1") -> Iterator[str]:
    """Each check is the same in both: it says "not yet" in the chapter, "solved" afterwards."""
    ours, theirs = check_cells(notebook), check_cells(solutions)
    if ours.keys() != theirs.keys():
        yield f"checks {sorted(ours)} in the chapter, {sorted(theirs)} in the solutions"
    for name in sorted(ours.keys() & theirs.keys()):
        number = name.removeprefix("check_").replace("_", ".")
        if not re.fullmatch(rf"{chapter}\.\d+", number):
            yield f"{name} is no exercise of chapter {chapter}"
        if ours[name].source != theirs[name].source:
            yield f"{name} is another in the solutions"
        before, after = text_of(ours[name]), text_of(theirs[name])
        if f"Exercise {number}: not yet" not in before or f"Exercise {number}: solved" not in after:
            yield f"{name}: {before!r} in the chapter, {after!r} in the solutions"


def repository() -> str:
    """The repository's public address, which stands in _config.yml."""
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    return re.search(r"^ *url: *(\S+)", config, re.M)[1]


def chapter_number(path: Path) -> str:
    return path.name.partition("_")[0].lstrip("0")
