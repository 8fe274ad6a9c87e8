"""Every page in a browser, on a desktop and a phone, in light and dark."""

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
CONTAINERS = "html, body, .bd-main, .bd-content, .bd-article-container, article"


def complaints(page, **options):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"], **options}).response
    assert found["passes"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@every_page
@pytest.mark.parametrize("width", [1280, 360])
def test_page(open_page, site, path, width):
    """Asks no other host, runs without errors, is wide enough, and axe has no complaint."""
    page = open_page(path, width)
    assert [url for url in page.asked if not url.startswith((site, "data:", "blob:"))] == []
    assert len(page.asked) > 3 and page.errors == []
    widths = page.locator(CONTAINERS).evaluate_all("all => all.map(e => e.scrollWidth)")
    assert len(widths) >= 4 and max(widths) <= width, widths
    page.evaluate(ONE_OF_EACH)
    assert page.locator('html[data-theme="light"]').count() == 1
    assert complaints(page) == []
    page.emulate_media(color_scheme="dark")  # which changes colors, and nothing else
    page.wait_for_selector('html[data-theme="dark"]', state="attached")
    assert complaints(page, runOnly=["color-contrast"]) == []
