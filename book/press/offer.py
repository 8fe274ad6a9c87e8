"""The download menu of every page offers the whole book, in the forms that have been made."""

import os
import re
from pathlib import Path

from book.press.pages import SITE

FORMS = {"PDF": "a-language-model-of-your-own.pdf", "EPUB": "a-language-model-of-your-own.epub"}
MENU = re.compile(r'(<div class="dropdown dropdown-download-buttons">.*?)(\s*</ul>)', re.S)
ENTRY = (
    '<li class="lm-whole-book"><a class="btn btn-sm dropdown-item" href="{link}" download>'
    '<span class="btn__text-container">Whole book, {form} ({size:.1f} MB)</span></a></li>'
)


def entries(page: Path) -> str:
    made = []
    for form, name in FORMS.items():
        if (file := SITE / "_static" / name).is_file():
            link = os.path.relpath(file, page.parent).replace(os.sep, "/")
            made.append(ENTRY.format(link=link, form=form, size=file.stat().st_size / 2**20))
    return "".join(made)


def offer() -> None:
    """Rewrite the menus; a second time changes nothing."""
    for page in SITE.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        new = re.sub(r'<li class="lm-whole-book">.*?</li>', "", text)
        new = MENU.sub(rf"\g<1>{entries(page)}\g<2>", new, count=1)
        if new != text:
            page.write_text(new, encoding="utf-8")
