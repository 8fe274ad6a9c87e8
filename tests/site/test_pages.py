"""Every page in a browser: accessible, self-contained, fit for a phone, and its figures move."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from tests.site.conftest import SITE

PAGES = sorted(
    str(path.relative_to(SITE))
    for path in SITE.rglob("*.html")
    if not path.is_relative_to(SITE / "_static")
    and path.name not in ("index.html", "genindex.html")
)
if not PAGES:
    PAGES = [pytest.param("", marks=pytest.mark.skip(reason="the site is not built: make book"))]
every_page = pytest.mark.parametrize("path", PAGES)


@every_page
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(open_page, path, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(path, scheme=scheme)
    found = Axe().run(page).response["violations"]
    assert not found, "\n".join(
        f"{one['id']}: {one['help']}: {node['html'][:160]}"
        for one in found
        for node in one["nodes"]
    )
    assert page.errors == []


@every_page
def test_nothing_comes_from_another_host(open_page, site, path):
    page = open_page(path)
    assert [url for url in page.asked if not url.startswith((site, "data:", "blob:"))] == []
    assert len(page.asked) > 3


@every_page
def test_fits_a_phone(open_page, path):
    page = open_page(path, width=360)
    containers = "html, body, .bd-main, .bd-content, .bd-article-container, article"
    widths = page.locator(containers).evaluate_all("all => all.map(e => e.scrollWidth)")
    assert len(widths) >= 4 and max(widths) <= 360, widths


@every_page
def test_title_and_description(open_page, path):
    page = open_page(path)
    assert "A Language Model of Your Own" in page.title()
    if not path.startswith(("search", "404")):
        assert len(page.locator('meta[property="og:description"]').get_attribute("content")) > 40


def test_the_menus_of_a_phone_open(open_page):
    page = open_page("notebooks/02_text_data.html", width=390)
    for button, sidebar in (
        (".primary-toggle", "#pst-primary-sidebar-modal, #pst-primary-sidebar"),
        (".secondary-toggle", "#pst-secondary-sidebar-modal, #pst-secondary-sidebar"),
    ):
        page.locator(f"{button}:visible").first.click()
        opened = page.locator(f"{sidebar}").locator("visible=true").first
        opened.wait_for(timeout=3000)
        assert opened.get_by_role("link").count() > 3
        page.keyboard.press("Escape")
        page.wait_for_timeout(300)


@pytest.mark.parametrize("width", [360, 1280])
def test_sliders_turn_pages_by_keyboard(open_page, width):
    page = open_page("notebooks/02_text_data.html", width=width)
    sliders = page.locator(".lm-slider")
    assert sliders.count() >= 2
    for slider in sliders.all():
        control, said = slider.get_by_role("slider"), slider.locator("output")
        shown = slider.locator(".lm-frame:visible")
        before, picture = said.inner_text(), shown.inner_html()
        assert shown.count() == 1 and slider.locator("label").inner_text()
        control.focus()
        page.keyboard.press("ArrowRight")
        assert said.inner_text() != before
        assert said.inner_text() == shown.get_attribute("data-value")
        assert shown.count() == 1 and shown.inner_html() != picture
        assert control.get_attribute("aria-valuetext") == said.inner_text()
        page.keyboard.press("Home")
        assert control.input_value() == "0"


def test_figures_in_the_dark(open_page):
    """Not dimmed, on no light card, and their ink is the ink of the page."""
    page = open_page("notebooks/02_text_data.html", scheme="dark")
    style = """e => {const s = getComputedStyle(e), b = [];
        for (let p = e; p; p = p.parentElement) b.push(getComputedStyle(p).backgroundColor);
        return [s.filter, s.color, b.filter(c => c != 'rgba(0, 0, 0, 0)')[0]]}"""
    figures = page.locator(".lm-figure svg:visible").all()
    assert len(figures) >= 4
    for figure in figures:
        filtered, ink, ground = figure.evaluate(style)
        brightness = [sum(map(float, re.findall(r"[\d.]+", color)[:3])) for color in (ink, ground)]
        assert filtered == "none" and brightness[0] - brightness[1] > 300


def test_print_leaves_the_menus_out(open_page):
    page = open_page("notebooks/02_text_data.html")
    page.emulate_media(media="print")
    for part in (".bd-sidebar-primary", ".bd-header-article", ".lm-control"):
        assert not page.locator(part).first.is_visible()
    assert page.locator(".lm-figure:visible").count() >= 4


def test_mathematics_is_set(open_page):
    page = open_page("notebooks/02_text_data.html")
    page.wait_for_selector("mjx-container")
    assert page.locator("mjx-container").count() > 5


def test_search_finds(open_page):
    page = open_page("search.html?q=tokenizer")
    page.wait_for_selector("#search-results li")
    assert page.locator("#search-results a").count() >= 2


class Links(HTMLParser):
    """The links of a page, and the places in it that one can link to."""

    def __init__(self, html):
        super().__init__()
        self.links, self.places = [], {""}
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.places |= {found[key] for key in ("id", "name") if found.get(key)}
        for key in ("href", "src"):
            if found.get(key) and tag != "base":
                self.links.append(found[key])


@every_page
def test_links_inside_the_book_lead_somewhere(path):
    for link in Links((SITE / path).read_text(encoding="utf-8")).links:
        if re.match(r"(https?|mailto|data|javascript):|//", link):
            continue
        target, place = urldefrag(urljoin(f"http://site/book/{path}", link))
        file = SITE / unquote(target.removeprefix("http://site/book/")).split("?")[0]
        file = file / "index.html" if file.is_dir() else file
        assert file.is_file(), link
        if file.suffix == ".html":
            assert unquote(place) in Links(file.read_text(encoding="utf-8")).places, link


def test_the_front_door(open_page):
    assert "A Language Model of Your Own" in open_page("index.html").content()
    assert (SITE / "404.html").is_file() and (SITE / "sitemap.xml").is_file()
