"""The page of `shared/`: rooms and modules in the order in which they are built, by docstrings.

The docstrings are written for the reader of the code, with single backticks and shapes in plain
text. Here they are made fit for Sphinx, whatever signs they hold.
"""

import ast
import re
import sys
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE, PLACE = "book/code", "<!-- modules -->"
ROOMS = ("world", "text", "model", "training", "tasks", "serving", "practice", "book")
ROOM = """
## {room}

{about}
"""
MODULE = """
### {name}.py

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


def fill_in(app, docname, source) -> None:
    if docname == PAGE:
        sections = []
        for room in ROOMS:
            sections.append(ROOM.format(room=room, about=about(room)))
            sections += [MODULE.format(room=room, name=name) for name in modules(room)]
        source[0] = source[0].replace(PLACE, "\n".join(sections))


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


def setup(app) -> dict:
    sys.path.insert(0, str(ROOT))
    app.setup_extension("sphinx.ext.autodoc")
    app.config.autodoc_inherit_docstrings = False  # PyTorch's, where a method has none
    app.config.autodoc_member_order = "bysource"
    app.config.autodoc_typehints = "none"
    app.config.autodoc_preserve_defaults = True
    app.connect("source-read", fill_in)
    app.connect("autodoc-process-docstring", readable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
