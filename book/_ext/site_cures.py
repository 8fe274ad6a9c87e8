"""What the site needs beyond its theme: nothing from other hosts, and no complaint from axe."""

import re
from pathlib import Path

CURES = [  # of the theme's own pages
    (r'<div id="pst-primary-sidebar" ', r'\g<0>role="region" aria-label="Book" '),
    (r"<h1></h1>", "<h1>Search</h1>"),
    (r' role="doc-biblioentry"', ""),  # no longer a role
    (r'<div role="list" (class="citation-list")', r"<div \1"),  # of what are no list items
    (r"<title>([^<]*) &#8212; \1</title>", r"<title>\1</title>"),  # the first page's, said twice
    (  # the front door, which Jupyter Book leaves without a name or a link
        r'^<meta http-equiv="Refresh" content="0; url=([^"]+)" />\s*$',
        r'<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
        r"<title>A Language Model of Your Own</title>"
        r'<meta http-equiv="refresh" content="0; url=\1"><link rel="canonical" href="\1">'
        r'<link rel="icon" href="_static/logo.svg">'
        r'<p><a href="\1">A Language Model of Your Own</a></p></html>',
    ),
]


def no_thebe(app, config) -> None:
    """sphinx-thebe writes the address of a script into every page, for a button we do not have."""
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if one.handler.__module__ != "sphinx_thebe"]
    files = app.registry.css_files
    files[:] = [file for file in files if file[0] != "sphinx-thebe.css"]


def finish(app, error) -> None:
    if error is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            page = path.read_text(encoding="utf-8")
            for pattern, cure in CURES:
                page = re.sub(pattern, cure, page)
            path.write_text(page, encoding="utf-8")
        announce(Path(app.outdir))


def announce(out: Path) -> None:
    """Give the front door what the first page says of itself, for those who share its address."""
    first, door = out / "book" / "intro.html", out / "index.html"
    if first.is_file() and door.is_file():
        said = r'<meta [^>]*(?:name|property)="(?:description|og:|twitter:)[^>]*>'
        tags = "".join(re.findall(said, first.read_text(encoding="utf-8")))
        page = door.read_text(encoding="utf-8")
        door.write_text(page.replace("</title>", f"</title>{tags}", 1), encoding="utf-8")


def setup(app) -> dict:
    app.connect("config-inited", no_thebe, priority=900)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
