"""Links between pages, as a single document or a set of flat files needs them."""

import posixpath
import re
from urllib.parse import urldefrag

HREF = re.compile(r'((?:xlink:)?href|src)="([^"]*)"')
IDS = re.compile(r'(\s(?:id|for|aria-labelledby)=")([^"]+)"')


def flat(name: str) -> str:
    """A page's name without its folder: notebooks/03_attention -> notebooks-03_attention."""
    return name.replace("/", "-")


def target(page: str, link: str) -> tuple[str, str]:
    """(page, place) that a link in a page leads to; the page has no ending."""
    path, place = urldefrag(link)
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    return whole.removesuffix(".html"), place


def relink(page: str, text: str, known: set[str], link) -> str:
    """Rewrite what points to a known page by `link(page, place)`; links to others go."""

    def one(match):
        key, address = match.groups()
        if re.match(r"\w+:|//", address) or (key == "src" and not address):
            return match[0]
        other, place = target(page, address)
        if other in known:
            return f'{key}="{link(other, place)}"'
        return match[0] if address.startswith("#") or key == "src" else ""

    return HREF.sub(one, text)
