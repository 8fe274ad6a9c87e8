"""The page of `shared/`: rooms and modules in the order in which they are built, by docstrings.

The docstrings are written for the reader of the code, with single backticks and shapes in plain
text. Here they are made fit for Sphinx, whatever signs they hold.
"""

import ast
import re
import sys
from graphlib import TopologicalSorter
from pathlib import Path

from built_in import of_module
from chapters import chapters

ROOT = Path(__file__).resolve().parents[2]
PAGE, PLACE, BY_CHAPTER = "book/code", "<!-- modules -->", "<!-- by chapter -->"
ROOMS = ("world", "text", "model", "training", "tasks")
ROOMS += ("preferences", "serving", "practice", "book")
ROOM = """
## {room}

{about}
"""
MODULE = """
### {name}.py

{built}<a class="lm-source" href="../_modules/shared/{room}/{name}.html">Source of {name}.py</a>

```{{eval-rst}}
.. automodule:: shared.{room}.{name}
   :members:
```
"""


def modules(room: str) -> list[str]:
    """The names of a room's modules, each behind those that it imports."""
    needs = {}
    for path in sorted((ROOT / "shared" / room).glob("[!_]*.py")):
        code = path.read_text(encoding="utf-8")
        needs[path.stem] = re.findall(rf"^from shared\.{room}\.(\w+) import", code, re.M)
    return list(TopologicalSorter(needs).static_order())


def about(room: str) -> str:
    """What a room's `__init__.py` says that the room is."""
    code = (ROOT / "shared" / room / "__init__.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(code))


def built(room: str, name: str) -> list[tuple[str, str, str]]:
    """The sections of the chapters that build a module: (page, heading, anchor)."""
    return of_module((ROOT / "shared" / room / f"{name}.py").read_text(encoding="utf-8"))


def module(room: str, name: str) -> str:
    links = [
        f"[{heading}](../{page}.ipynb#{anchor})" for page, heading, anchor in built(room, name)
    ]
    said = f"Built in {', '.join(links)}. " if links else ""
    return MODULE.format(room=room, name=name, built=said)


def by_chapter() -> str:
    """A line for each chapter: the modules that it builds."""
    lines = []
    for chapter in chapters():
        names = [
            f'<a href="#module-shared.{room}.{name}">{room}/{name}</a>'
            for room in ROOMS
            for name in modules(room)
            if any(page == chapter.name for page, _, _ in built(room, name))
        ]
        if names:
            lines.append(f"- [{chapter.title}](../{chapter.name}.ipynb): {', '.join(names)}")
    return "\n".join(lines)


def fill_in(app, docname, source) -> None:
    if docname == PAGE:
        sections = []
        for room in ROOMS:
            sections.append(ROOM.format(room=room, about=about(room)))
            sections += [module(room, name) for name in modules(room)]
        source[0] = source[0].replace(PLACE, "\n".join(sections))
        source[0] = source[0].replace(BY_CHAPTER, by_chapter())


MARKS = re.compile(r"(?<!\w)\*\w[\w ]*\w\*(?!\w)|[\\*|_`]")  # emphasis, or what would be markup


def plain(line: str) -> str:
    """A line of prose as reStructuredText: code and emphasis stay, all else is only text."""
    pieces = re.split(r"(`+)(.+?)\1", line)
    prose = [MARKS.sub(escaped, text) for text in pieces[::3]]
    code = [f"\\ ``{text}``\\ " for text in pieces[2::3]] + [""]  # "\\ " is a border without width
    return "".join(a + b for a, b in zip(prose, code, strict=True)).rstrip(" \\")


def escaped(mark) -> str:
    return mark[0] if len(mark[0]) > 1 else "\\" + mark[0]


def readable(app, what, name, thing, options, lines) -> None:
    """Blank lines around examples, and no sign of prose taken for markup."""
    made, example = [], False
    for line in lines:
        starts = line.lstrip().startswith(">>>")
        if starts and not example:
            made.append("")
        example = starts or (example and bool(line.strip()))
        made.append(line if example else plain(line))
    lines[:] = made


def without_fields(app, what, name, thing, skip, options) -> bool | None:
    """Leave out the fields of a named tuple: all that Python says of them is their number."""
    return True if type(thing).__name__ == "_tuplegetter" else None


def setup(app) -> dict:
    sys.path.insert(0, str(ROOT))
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.viewcode")  # every name leads to its lines
    app.config.autodoc_inherit_docstrings = False  # PyTorch's, where a method has none
    app.config.autodoc_member_order = "bysource"
    app.config.autodoc_typehints = "none"
    app.config.autodoc_preserve_defaults = True
    app.connect("source-read", fill_in)
    app.connect("autodoc-process-docstring", readable)
    app.connect("autodoc-skip-member", without_fields)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
