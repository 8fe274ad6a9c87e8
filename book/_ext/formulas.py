"""Numbered formulas: `\\tag{5.1}` makes an anchor, and "formula (5.1)" in a text leads there.

Both are written in the notebooks as they are to be read in JupyterLab and on Colab.
"""

import re

from chapters import chapters
from docutils import nodes

TAG = re.compile(r"\\tag\{([\dAB]\.\d+)\}")
SPOKEN_OF = re.compile(r"(?<=[Ff]ormula )\(([\dAB]\.\d+)\)")


def anchor(number: str) -> str:
    return f"eq-{number.replace('.', '-')}"


def give_anchors(app, doctree) -> None:
    for formula in doctree.findall(nodes.math_block):
        if tag := TAG.search(formula.astext()):
            formula["ids"].append(anchor(tag[1]))


def resolve(app, doctree, docname) -> None:
    if app.builder.format != "html":
        return
    pages = {chapter.title.split(".")[0]: chapter.name for chapter in chapters()}
    for text in list(doctree.findall(nodes.Text)):
        if isinstance(text.parent, nodes.literal | nodes.reference):
            continue
        before, *rest = SPOKEN_OF.split(text.astext())
        parts = [nodes.Text(before)]
        for number, after in zip(rest[::2], rest[1::2], strict=True):
            page = app.builder.get_relative_uri(docname, pages[number[0]])
            address = f"{page}#{anchor(number)}"
            parts.append(nodes.reference("", f"({number})", internal=True, refuri=address))
            parts.append(nodes.Text(after))
        if rest:
            place = text.parent.index(text)
            text.parent[place : place + 1] = parts


def setup(app) -> dict:
    app.connect("doctree-read", give_anchors)
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
