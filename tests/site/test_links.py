"""The built pages as text: names, descriptions, and links that lead somewhere."""

import functools
import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, unquote, urldefrag, urljoin

from tests.site.conftest import SITE
from tests.site.test_pages import every_page


class Page(HTMLParser):
    """The links of a page, the places in it that one can link to, its title and descriptions."""

    def __init__(self, html):
        super().__init__()
        self.links, self.places, self.about, self.title, self.tag = [], {""}, {}, "", ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found, self.tag = dict(attributes), tag
        self.places |= {found[key] for key in ("id", "name") if found.get(key)}
        for key in ("href", "src"):
            if found.get(key) and tag != "base":
                self.links.append(found[key])
        if tag == "meta":
            self.about[found.get("name") or found.get("property")] = found.get("content") or ""

    def handle_data(self, data):
        if self.tag == "title" and not self.title:
            self.title = data.strip()


@functools.cache
def parsed(path):
    return Page(path.read_text(encoding="utf-8"))


@every_page
def test_links_inside_the_book_lead_somewhere(path):
    for link in parsed(SITE / path).links:
        if re.match(r"(https?|mailto|data|javascript):|//", link):
            continue
        target, place = urldefrag(urljoin(f"http://site/book/{path}", link))
        file = SITE / unquote(target.removeprefix("http://site/book/")).split("?")[0]
        file = file / "index.html" if file.is_dir() else file
        assert file.is_file(), link
        if file.suffix == ".html":
            (view,) = parse_qs(place).get("view", [""])  # a way of using the model, on its page
            assert (f"lm-panel-{view}" if view else unquote(place)) in parsed(file).places, link


@every_page
def test_title_and_description(path):
    page = parsed(SITE / path)
    assert "A Language Model of Your Own" in page.title
    if not path.startswith(("search", "404", "_modules")):
        assert len(page.about["description"]) > 40 and len(page.about["og:description"]) > 40
