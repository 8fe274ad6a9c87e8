"""Under a chapter's title: how long it takes, and its sections. Above it: previous and next."""

from html import escape

from chapters import chapters
from docutils import nodes

HEAD = """<div class="lm-opening"><p class="lm-minutes">About {minutes} minutes to read with
the code, {exercises} more for the exercises.</p>
<nav class="lm-sections" aria-label="Sections of this chapter"><ol>{sections}</ol></nav></div>"""
WAY = '<a class="lm-{side}" href="{link}" rel="{side}">{arrow}</a>'
NAV = '<nav class="lm-way d-print-none" aria-label="Previous and next">{}</nav>'


def resolve(app, doctree, docname) -> None:
    chapter = {one.name: one for one in chapters()}.get(docname)
    title = doctree.next_node(nodes.title)
    if chapter is None or title is None or app.builder.format != "html":
        return
    top, items = title.parent, []
    for section in top.findall(nodes.section):
        if section.parent is top:
            words = section.next_node(nodes.title).astext()
            items.append(f'<li><a href="#{section["ids"][0]}">{escape(words)}</a></li>')
    head = HEAD.format(
        minutes=chapter.minutes, exercises=chapter.exercise_minutes, sections="".join(items)
    )
    top.insert(top.index(title) + 1, nodes.raw("", head, format="html"))


def neighbors(app, pagename, templatename, context, doctree) -> None:
    """Previous and next above the text, where the theme has them only below."""
    ways = []
    for side, arrow in (("prev", "← {}"), ("next", "{} →")):
        if one := context.get(side):
            words = arrow.format(one["title"])
            ways.append(WAY.format(side=side, link=escape(one["link"]), arrow=words))
    if ways and context.get("body"):
        context["body"] = NAV.format("".join(ways)) + context["body"]


def setup(app) -> dict:
    app.connect("doctree-resolved", resolve)
    app.connect("html-page-context", neighbors)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
