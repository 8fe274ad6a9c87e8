"""The book as one PDF, with page numbers and an outline:  python -m book.press.pdf"""

import re

from book.press.links import IDS, flat, relink
from book.press.offer import offer
from book.press.pages import SITE, Page, browser, collect

TARGET = SITE / "_static" / "a-language-model-of-your-own.pdf"
SHEETS = ("pygments.css", "fonts.css", "book.css", "reading.css", "front.css", "press.css")
OPENING = """<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<title>A Language Model of Your Own</title>{sheets}<style>{styles}</style></head>
<body><main class="bd-content"><div class="bd-article">
<section class="lm-title-page"><h1 class="lm-unseen">A Language Model of Your Own</h1>{cover}
</section><nav class="lm-contents" aria-label="Contents"><h2>Contents</h2><ol>{contents}</ol></nav>
{pages}</div></main></body></html>"""


def joined(page: Page, known: set[str]) -> str:
    """A page as a part of the whole: its ids begin with its name, links lead inside."""
    name = flat(page.name)
    text = IDS.sub(lambda match: f'{match[1]}{name}--{match[2]}"', page.text)

    def link(other, place):
        return f"#{flat(other)}--{place}" if place else f"#{flat(other)}"

    text = relink(page.name, text, known, link)
    text = re.sub(r'url\(#|(?<=xlink:href=")#(?=f[0-9a-f]{8}-)', f"\\g<0>{name}--", text)
    text = text.replace(f"--{name}--", "--")
    return f'<section class="lm-part" id="{name}">{text}</section>'


def whole(pages: list[Page]) -> str:
    known = {page.name for page in pages}
    sheets = [f'<link rel="stylesheet" href="_static/{name}">' for name in SHEETS]
    contents = [f'<li><a href="#{flat(page.name)}">{page.title}</a></li>' for page in pages]
    return OPENING.format(
        sheets="".join(sheets),
        styles="".join({page.styles: None for page in pages}),
        cover=(SITE.parents[1] / "book/figures/title.svg").read_text(encoding="utf-8"),
        contents="".join(contents),
        pages="".join(joined(page, known) for page in pages),
    )


def make(running, target=TARGET, chosen: list[str] | None = None) -> int:
    """Write the PDF, and say how many bytes it has."""
    (joint := SITE / "_press.html").write_text(whole(collect(running, chosen)), "utf-8")
    tab = running.new_page()
    try:
        tab.goto(joint.as_uri())
        tab.wait_for_function("() => document.fonts.ready.then(() => true)")
        tab.pdf(path=target, prefer_css_page_size=True, outline=True, tagged=True)
    finally:
        tab.close()
        joint.unlink()
    return target.stat().st_size


if __name__ == "__main__":
    with browser() as running:
        print(f"{TARGET}: {make(running) / 2**20:.1f} MB")
    offer()
