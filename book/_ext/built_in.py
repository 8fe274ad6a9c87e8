"""Where the chapters build what `shared/` holds: cells tagged `shared`, by what they define."""

import ast
import re
from functools import cache

from chapters import chapters, source

HEADING = re.compile(r"^## (.+)$", re.M)


def slug(heading: str) -> str:
    """The anchor that MyST gives a heading."""
    return re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-")


def defined(code: str) -> list[str]:
    """The functions and classes that a cell defines."""
    kinds = ast.FunctionDef | ast.ClassDef
    return [one.name for one in ast.parse(code).body if isinstance(one, kinds)]


@cache
def sections() -> dict[str, tuple[str, str, str]]:
    """{name: (page, heading, anchor)} of the section that builds it."""
    found = {}
    for chapter in chapters():
        heading = chapter.title
        for cell in chapter.cells:
            if cell["cell_type"] == "markdown":
                heading = ([heading, *HEADING.findall(source(cell))])[-1]
            elif "shared" in cell["metadata"].get("tags", []):
                place = (chapter.name, heading, slug(heading))
                found |= {name: place for name in defined(source(cell)) if name not in found}
    return found


def of_module(code: str) -> list[tuple[str, str, str]]:
    """The sections that build what a module defines, in the order of the chapters."""
    places = [sections().get(name) for name in defined(code)]
    return sorted({place for place in places if place})
