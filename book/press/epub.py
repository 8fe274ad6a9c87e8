"""The book as an EPUB, formulas as MathML:  python -m book.press.epub"""

import re
import zipfile
from datetime import UTC, datetime
from html import escape
from xml.etree import ElementTree

from book.press.links import flat, relink
from book.press.offer import offer
from book.press.pages import ROOT, SITE, Page, browser, collect

TARGET = SITE / "_static" / "a-language-model-of-your-own.epub"
COVER = ROOT / "book" / "figures" / "title.svg"
TITLE, AUTHOR = "A Language Model of Your Own", "The authors of A Language Model of Your Own"
NAME = "https://language-model-of-your-own.github.io/book/"
XML = '<?xml version="1.0" encoding="utf-8"?>\n'
FILE = XML + (
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" '
    'lang="en" xml:lang="en"><head><title>{title}</title>'
    '<link rel="stylesheet" type="text/css" href="book.css"/></head><body>{body}</body></html>'
)
CONTAINER = XML + (
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book/book.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>"
)
PACKAGE = XML + (
    '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="name">'
    '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="name">{name}'
    "</dc:identifier><dc:title>{title}</dc:title><dc:creator>{author}</dc:creator>"
    '<dc:language>en</dc:language><meta property="dcterms:modified">{date}</meta></metadata>'
    '<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" '
    'properties="nav"/><item id="css" href="book.css" media-type="text/css"/>'
    '<item id="picture" href="cover.png" media-type="image/png" properties="cover-image"/>'
    '<item id="cover" href="cover.xhtml" media-type="application/xhtml+xml"/>{items}</manifest>'
    '<spine><itemref idref="cover"/>{spine}</spine></package>'
)
STYLE = """body { line-height: 1.5; } pre { white-space: pre-wrap; font-size: 0.8em; }
.cell_input pre { background: #f3f4f6; padding: 0.5em; } svg { max-width: 100%; height: auto; }
figcaption, .lm-within { font-size: 0.9em; } table { border-collapse: collapse; }
td, th { border: 1px solid #999; padding: 0.2em 0.4em; } figure { margin: 1em 0; }
.lm-cards, .lm-unseen { display: none; }"""


def chapter(page: Page, known: set[str]) -> str:
    """A page as a file of the EPUB."""

    def link(other, place):
        return f"{flat(other)}.xhtml" + (f"#{place}" if place else "")

    body = relink(page.name, page.text, known, link)
    body = re.sub(r"var\(--[\w-]+, ?([^)]+)\)", r"\1", body)  # not every reader knows variables
    body = re.sub(r" (?:data-[\w-]+|oninput|onclick|focusable)=\"[^\"]*\"", "", body)
    body = re.sub(r"<img [^>]*/>", "", body)
    text = FILE.format(title=escape(page.title), body=body)
    ElementTree.fromstring(text)  # raises on what a reader would refuse
    return text


def item(page: Page, text: str) -> str:
    kinds = [kind for kind in ("svg", "math") if re.search(rf"<(\w+:)?{kind}[ >]", text)]
    kinds = [{"math": "mathml"}.get(kind, kind) for kind in kinds]
    has = f' properties="{" ".join(kinds)}"' if kinds else ""
    name = flat(page.name)
    kind = "application/xhtml+xml"
    return f'<item id="p-{name}" href="{name}.xhtml" media-type="{kind}"{has}/>'


def picture(running) -> bytes:
    """The cover, drawn by the browser."""
    tab = running.new_page(viewport={"width": 1200, "height": 1600})
    svg = COVER.read_text(encoding="utf-8")
    fonts = (SITE / "_static" / "fonts.css").as_uri()
    (page := SITE / "_cover.html").write_text(
        f'<link rel="stylesheet" href="{fonts}"><body style="margin:0">{svg}', "utf-8"
    )
    try:
        tab.goto(page.as_uri())
        tab.evaluate("() => document.fonts.ready.then(() => true)")
        return tab.screenshot()
    finally:
        tab.close()
        page.unlink()


def files(pages: list[Page]) -> dict[str, str]:
    """{name: content} of all that an EPUB holds but its type."""
    known = {page.name for page in pages}
    texts = {page.name: chapter(page, known) for page in pages}
    entries = [
        f'<li><a href="{flat(page.name)}.xhtml">{escape(page.title)}</a></li>' for page in pages
    ]
    contents = f'<nav epub:type="toc"><h1>Contents</h1><ol>{"".join(entries)}</ol></nav>'
    package = PACKAGE.format(
        name=NAME,
        title=TITLE,
        author=AUTHOR,
        date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        items="".join(item(page, texts[page.name]) for page in pages),
        spine="".join(f'<itemref idref="p-{flat(page.name)}"/>' for page in pages),
    )
    return {
        "META-INF/container.xml": CONTAINER,
        "book/book.opf": package,
        "book/nav.xhtml": FILE.format(title="Contents", body=contents),
        "book/cover.xhtml": FILE.format(
            title=TITLE, body=f'<p><img src="cover.png" alt="{TITLE}" width="100%"/></p>'
        ),
        "book/book.css": STYLE,
        **{f"book/{flat(name)}.xhtml": text for name, text in texts.items()},
    }


def make(running, target=TARGET, chosen: list[str] | None = None) -> int:
    """Write the EPUB, and say how many bytes it has."""
    content = {"book/cover.png": picture(running), **files(collect(running, chosen))}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as epub:
        epub.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        for name, text in content.items():
            epub.writestr(name, text)
    return target.stat().st_size


if __name__ == "__main__":
    with browser() as running:
        print(f"{TARGET}: {make(running) / 2**20:.1f} MB")
    offer()
