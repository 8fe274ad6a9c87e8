"""What a chapter cites, beside the paragraph that cites it: authors, title and year of each link.

A link whose address is in `references.bib` shows its work on a card, as words of the glossary do,
and the first paragraph that names a work has a note. There is one note at most for a paragraph;
it stands in the margin where that is wide, and folded under the paragraph where it is not.
"""

import re
from functools import cache
from html import escape

from chapters import ROOT
from docutils import nodes
from pybtex.database import parse_file

CHAPTER = re.compile(r"notebooks/[\dAB]\w*$")
NOTE = '<details class="lm-note"><summary>{short}</summary><ul>{works}</ul></details></div>'
MOST = 3  # works in a note; further ones have their cards


def plain(latex: str) -> str:
    from pybtex.richtext import Text

    return Text.from_latex(latex).render_as("text")


def named(people) -> tuple[str, str]:
    """Authors as a list of names, and as a text cites them."""

    def whole(one, *parts):
        return plain(" ".join(name for part in parts for name in getattr(one, part)))

    last = [whole(one, "prelast_names", "last_names") for one in people]
    names = [
        f"{whole(one, 'first_names', 'middle_names')} {name}".strip()
        for one, name in zip(people, last, strict=True)
    ]
    if len(names) > 3 or names[-1] == "others":
        return f"{names[0]} and others", f"{last[0]} et al."
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])), " and ".join(
        filter(None, [", ".join(last[:-1]), last[-1]])
    )


@cache
def works() -> dict[str, tuple[str, str, str]]:
    """{address: (as it is cited, authors, title and year)} of all references with an address."""
    found = {}
    for entry in parse_file(ROOT / "book" / "references.bib").entries.values():
        fields = entry.fields
        doi = f"https://doi.org/{fields['doi']}" if "doi" in fields else None
        if address := fields.get("url") or doi:
            authors, short = named(entry.persons["author"])
            year, title = fields["year"], plain(fields["title"])
            found[address] = f"{short}, {year}", authors, f"{title} ({year})"
    return found


def note(addresses: list[str]) -> str:
    shown = [(address, *works()[address]) for address in addresses[:MOST]]
    items = [
        f'<li>{escape(authors)}: <a href="{escape(address)}">{escape(title)}</a></li>'
        for address, _, authors, title in shown
    ]
    return NOTE.format(
        short=escape("; ".join(short for _, short, _, _ in shown)), works="".join(items)
    )


def in_running_text(paragraph) -> bool:
    """Not in a list or table, a folded verdict, nor in the list of what to read next."""
    section = paragraph.parent
    if not isinstance(section, nodes.section):
        return False
    return section.next_node(nodes.title).astext() not in ("True or false?", "Going further")


def resolve(app, doctree, docname) -> None:
    if app.builder.format != "html" or not CHAPTER.match(docname):
        return
    noted = set()
    for paragraph in list(doctree.findall(nodes.paragraph)):
        new = []
        for link in paragraph.findall(nodes.reference):
            address = link.get("refuri")
            if address in works():
                _, authors, title = works()[address]
                link["classes"].append("lm-cite")
                link["reftitle"] = f"{authors}: {title}"
                new += [address] if address not in noted and address not in new else []
        if new and in_running_text(paragraph):
            noted.update(new)
            place = paragraph.parent.index(paragraph)
            around = nodes.raw("", '<div class="lm-noted">', format="html")
            after = nodes.raw("", note(new), format="html")
            paragraph.parent[place : place + 1] = [around, paragraph, after]


def setup(app) -> dict:
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
