"""Each exercise leads to its solution, and a notebook that is named in the text is a link."""

import re

from docutils import nodes

NUMBER = re.compile(r"([\dAB]\.\d+)\b")
NAMED = re.compile(r"(notebooks/(?:solutions/)?\w+)\.ipynb$")


def sections(app, docname: str) -> dict[str, tuple[str, str]]:
    """{number: (title, id)} of a page's sections with numbers."""
    if docname not in app.env.found_docs:
        return {}
    found = {}
    for section in app.env.get_doctree(docname).findall(nodes.section):
        title = section.next_node(nodes.title).astext()
        if number := NUMBER.match(title):
            found[number[1]] = title, section["ids"][0]
    return found


def link(address: str, words: str, kind: str) -> nodes.reference:
    return nodes.reference("", words, internal=True, refuri=address, classes=[kind])


def resolve(app, doctree, docname) -> None:
    if app.builder.format != "html":
        return
    for literal in list(doctree.findall(nodes.literal)):
        name = NAMED.match(literal.astext())
        if name and name[1] in app.env.found_docs and name[1] != docname:
            address = app.builder.get_relative_uri(docname, name[1])
            literal.replace_self(link(address, app.env.titles[name[1]].astext(), "lm-notebook"))
    if docname.startswith("notebooks/") and "solutions" not in docname:
        link_solutions(app, doctree, docname)


def link_solutions(app, doctree, docname) -> None:
    solutions = docname.replace("notebooks/", "notebooks/solutions/")
    found = sections(app, solutions)
    for paragraph in doctree.findall(nodes.paragraph):
        first = next((part for part in paragraph if part.astext()), None)  # MyST begins with ""
        number = isinstance(first, nodes.strong) and NUMBER.match(first.astext())
        if number and number[1] in found:
            address = app.builder.get_relative_uri(docname, solutions)
            address += f"#{found[number[1]][1]}"
            words = f"Solution to {number[1]}"
            paragraph += [nodes.Text(" "), link(address, words, "lm-solution")]


def setup(app) -> dict:
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
