"""Every page in a browser, on a desktop and a phone, in light and dark."""

import functools
import gzip

import pytest

from tests.site.conftest import SITE, read_through

PAGES = sorted(
    str(path.relative_to(SITE))
    for path in SITE.rglob("*.html")
    if not path.is_relative_to(SITE / "_static")
    and path.name != "index.html"
    and ("_modules" not in path.parts or path.stem in ("gpt", "attention"))  # they are all alike
)
if not PAGES:
    PAGES = [pytest.param("", marks=pytest.mark.skip(reason="the site is not built: make book"))]
every_page = pytest.mark.parametrize("path", PAGES)

# Colored words of one kind look the same all over the page: axe gets the first of each kind that
# it can judge, so not one in a folded cell (the first cell is one), nor a single sign.
ONE_OF_EACH = """() => {
    const seen = new Set();
    for (const e of document.querySelectorAll('.highlight pre span')) {
        const kind = e.className + (e.closest('.cell_output') ? ' output' : '');
        if (seen.has(kind)) e.replaceWith(...e.childNodes);
        else if (e.checkVisibility() && e.textContent.trim().length > 1) seen.add(kind);
    }
}"""
# A script lets the keyboard reach what scrolls, before one comes by and after a new width.
REACHED = """() => [...document.querySelectorAll(
    '.bd-article :is(pre, .output, .pst-scrollable-table-container, .lm-figure, .lm-set)'
)].every(e => e.scrollWidth <= e.clientWidth || e.tabIndex == 0
    || getComputedStyle(e).overflowX == 'visible' || !e.checkVisibility())"""
COMPRESSED = (".woff", ".woff2", ".png", ".jpg", ".gz", ".safetensors")
CONTAINERS = "html, body, .bd-main, .bd-content, .bd-article-container, article, section"

QUICK = {"resultTypes": ["violations"], "selectors": False, "preload": False}


def complaints(page, **options):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={**QUICK, **options}).response
    assert found["passes"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@functools.cache
def weight(path):
    """Bytes that a file takes on its way, compressed as the public host compresses it."""
    content = (SITE / path).read_bytes()
    return len(content if path.endswith(COMPRESSED) else gzip.compress(content))


def fits(page, width):
    widths = page.locator(CONTAINERS).evaluate_all("all => all.map(e => e.scrollWidth)")
    return len(widths) >= 4 and max(widths) <= width


@every_page
def test_page(open_page, site, path):
    """One visit: no other host, no error, not too heavy nor too wide, and no complaint by axe."""
    page = open_page(path)
    assert fits(page, 1280)
    page.evaluate(ONE_OF_EACH)
    assert page.locator('html[data-theme="light"]').count() == 1
    read_through(page)
    page.wait_for_function(REACHED)
    assert complaints(page) == []
    page.emulate_media(color_scheme="dark")  # which changes colors, and nothing else
    page.wait_for_selector('html[data-theme="dark"]', state="attached")
    assert complaints(page, runOnly=["color-contrast"]) == []
    page.set_viewport_size({"width": 360, "height": 800})
    page.wait_for_function("() => innerWidth === 360")
    read_through(page)
    page.wait_for_function(REACHED)
    assert fits(page, 360)
    assert complaints(page, rules={"color-contrast": {"enabled": False}}) == []
    asked = {url.split("?")[0] for url in page.asked if not url.startswith(("data:", "blob:"))}
    assert [url for url in asked if not url.startswith(site)] == []
    assert len(asked) > 3 and page.errors == []
    assert page.locator("head link[rel=stylesheet]").count() == 1
    weights = {name: weight(name) for name in (url.removeprefix(f"{site}/") for url in asked)}
    assert sum(weights.values()) <= 300 * 1024, weights


def test_the_keyboard_reaches_what_scrolls_when_side_bars_come_back(open_page):
    """The text is narrower then, a moment after the window has its new width."""
    page = open_page("book/cluster.html")
    wide = page.locator("pre").evaluate_all("all => all.some(e => e.scrollWidth > e.clientWidth)")
    assert wide, "another page, then: here nothing scrolls"
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(600)
        read_through(page)
        page.wait_for_function(REACHED, timeout=3000)
