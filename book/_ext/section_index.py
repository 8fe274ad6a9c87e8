"""What `find.js` searches: every section of the book with its words, and every term's definition.

A script and not a file of data, because a page opened from a disk may load nothing but scripts. It
calls `bookSections({pages, sections, terms})` with

    pages     [address, title, weight] of each page; solutions weigh less than chapters
    sections  [page, id, title, text] of each section, without its subsections
    terms     [term, synonyms, definition, id in the glossary, page and id of where it is taught]
"""

import json
import re
from pathlib import Path

from docutils import nodes
from first_use import GLOSSARY, entries, synonyms

LIGHT = ("notebooks/solutions/", "book/teaching/", "book/c", "book/references")
TAUGHT = re.compile(r"notebooks/\w+\.(?:html|ipynb)#[\w-]+")
LEFT_OUT = (nodes.section, nodes.literal_block, nodes.title, nodes.raw, nodes.math_block)


def own_text(section) -> str:
    """The words of a section that no subsection holds, and no code."""

    def words(node):
        if isinstance(node, nodes.Text):
            yield str(node)
        for child in node.children:
            if not isinstance(child, LEFT_OUT):
                yield from words(child)
                if isinstance(child, nodes.Element) and not isinstance(child, nodes.Inline):
                    yield " "

    return " ".join("".join(words(section)).split())


def collect(app) -> dict:
    env, pages, sections = app.env, [], []
    for name in sorted(env.found_docs & set(env.titles)):
        weight = 0.4 if name.startswith(LIGHT) else 1
        pages.append([f"{name}.html", env.titles[name].astext(), weight])
        if name == GLOSSARY:
            continue
        for section in env.get_doctree(name).findall(nodes.section):
            title = section.next_node(nodes.title).astext()
            sections.append([len(pages) - 1, section["ids"][0], title, own_text(section)])
    return {"pages": pages, "sections": sections, "terms": terms(app)}


def terms(app) -> list:
    """The glossary; the place where a term is taught is the last link of its entry."""
    taught, others, found = {}, synonyms(), []
    if GLOSSARY in app.env.found_docs:
        glossary = app.env.get_and_resolve_doctree(GLOSSARY, app.builder)
        for item in glossary.findall(nodes.definition_list_item):
            links = [one.get("refuri", "") for one in item.findall(nodes.reference)]
            place = links[-1] if links else ""
            taught |= {term.astext(): place for term in item.findall(nodes.term)}
    for term, (anchor, about) in entries(app).items():
        place = re.sub(r"^(\.\./)+", "", taught.get(term, "")).replace(".ipynb", ".html")
        found.append([term, others.get(term, []), about, anchor, place])
    return found


def finish(app, error) -> None:
    if error is None and app.builder.format == "html":
        index = json.dumps(collect(app), ensure_ascii=False, separators=(",", ":"))
        path = Path(app.outdir) / "_static" / "sections.js"
        path.write_text(f"bookSections({index});\n", encoding="utf-8")


def setup(app) -> dict:
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
