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

# Words of one kind (color, size, weight and what lies behind them) have the same contrast all over
# the page: axe judges three of each, as it cannot judge every one (in a folded cell, a lone sign).
THREE_OF_EACH = """() => {
    const kinds = {}, behind = new Map([[null, '']]);
    const around = e => {
        if (!behind.has(e)) {
            const {opacity, backgroundColor, backgroundImage} = getComputedStyle(e);
            const own = [opacity, backgroundColor, backgroundImage, around(e.parentElement)];
            behind.set(e, own.join());
        }
        return behind.get(e);
    };
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
        const e = words.currentNode.parentElement;
        if (words.currentNode.data.trim().length < 2 || !e.checkVisibility()) continue;
        const {color, fontSize, fontWeight} = getComputedStyle(e);
        const kind = [color, fontSize, fontWeight, around(e)];
        kinds[kind] = (kinds[kind] ?? 0) + 1;
        if (kinds[kind] <= 3) (e.closest('a') ?? e).toggleAttribute('data-judged', true);
    }
    return Object.keys(kinds).length;
}"""
# Most of a chapter's elements are the colored words of its code, in two dozen colors: six of each
# color stay, and the others become plain text, which axe goes through three times as fast.
SIX_WORDS_OF_CODE = """() => {
    const kinds = {};
    const code = ':is(.highlight pre, .sig) span:not(:has(*), a *)';
    const many = [...document.querySelectorAll(code)].filter(e => {
        if (e.textContent.length < 2 || !e.checkVisibility()) return true;
        const kind = e.parentElement.className + ' ' + e.className;
        kinds[kind] = (kinds[kind] ?? 0) + 1;
        return kinds[kind] > 6;
    });
    for (const e of many) e.replaceWith(e.textContent);
}"""
# A script lets the keyboard reach what scrolls, before one comes by and after a new width.
REACHED = """() => [...document.querySelectorAll(
    '.bd-article :is(pre, .output, .pst-scrollable-table-container, .lm-figure, .lm-set)'
)].every(e => e.scrollWidth <= e.clientWidth || e.tabIndex == 0
    || getComputedStyle(e).overflowX == 'visible' || !e.checkVisibility())"""
COMPRESSED = (".woff", ".woff2", ".png", ".jpg", ".gz", ".safetensors")
CONTAINERS = "html, body, .bd-main, .bd-content, .bd-article-container, article, section"

QUICK = {"resultTypes": ["violations"], "selectors": False, "preload": False}
COLORS = ["color-contrast", "link-in-text-block"]
OTHER = {rule: {"enabled": False} for rule in COLORS}


def complaints(page, context=None, **options):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context, {**QUICK, **options}).response
    assert found["passes"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def contrast(page):
    """Complaints about words that are too pale, and about links that look like other words."""
    assert page.evaluate(THREE_OF_EACH) > 5
    judged = {"include": ["[data-judged]"]}
    return complaints(page, judged, runOnly=COLORS)


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
    assert page.locator('html[data-theme="light"]').count() == 1
    read_through(page)
    page.wait_for_function(REACHED)
    page.evaluate(SIX_WORDS_OF_CODE)
    assert complaints(page, rules=OTHER) == [] and contrast(page) == []
    page.emulate_media(color_scheme="dark")  # which changes colors, and nothing else
    page.wait_for_selector('html[data-theme="dark"]', state="attached")
    assert contrast(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    page.wait_for_function("() => innerWidth === 360")
    read_through(page)
    page.wait_for_function(REACHED)
    assert fits(page, 360)
    assert complaints(page, rules=OTHER) == []
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
