"""What a reader should know of an output: the room that the tests allow it, and its columns.

A cell with the tag `within:0.05` or `within:10%` says under its output how far the numbers may be
from these on another machine. Printed tables keep their columns and scroll, where text wraps.
"""

import re

from docutils import nodes

WITHIN = re.compile(r"tag_within:([\d.]+%?)$")
COLUMNS = re.compile(r"^.*\S {2,}\S", re.M)


def room(classes: list[str]) -> str | None:
    """The room that a cell's tags give its numbers: "0.05", "10 %", or the larger of both."""
    found = [match[1] for match in map(WITHIN.match, classes) if match]
    return " or ".join(found).replace("%", " %") or None


def is_table(text: str) -> bool:
    """Whether a printed text has columns: gaps in at least two lines, none as long as prose."""
    return len(COLUMNS.findall(text)) >= 2 and max(map(len, text.splitlines())) <= 110


def resolve(app, doctree, docname) -> None:
    for cell in list(doctree.findall(nodes.container)):
        if "cell" in cell["classes"]:
            if allowed := room(cell["classes"]):
                words = f"On other machines these numbers may differ by {allowed}."
                cell += nodes.paragraph("", words, classes=["lm-within"])
        elif "cell_output" in cell["classes"]:
            for block in cell.findall(nodes.literal_block):
                if is_table(block.astext()):
                    block["classes"].append("lm-columns")


def setup(app) -> dict:
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
