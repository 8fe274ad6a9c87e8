"""What pages do: menus open, sliders turn, figures keep their ink, and missing pages say so."""

import re

import pytest

from tests.site.conftest import SITE
from tests.site.test_pages import complaints

FORMULAS = sorted(
    str(path.relative_to(SITE))
    for path in SITE.rglob("*.html")
    if "<math" in path.read_text(encoding="utf-8")
)


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
        slider.evaluate("e => new Promise(laid => { e.scrollIntoView(); setTimeout(laid, 100); })")
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_print_is_dark_ink_without_menus(open_page, scheme):
    page = open_page("notebooks/02_text_data.html", scheme=scheme)
    page.emulate_media(media="print")
    for part in (".bd-sidebar-primary", ".bd-header-article", ".lm-control"):
        assert not page.locator(part).first.is_visible()
    assert page.locator(".lm-figure:visible").count() >= 4
    printed = ".bd-article :is(h1, h2, p, li, td, .lm-figure svg, .lm-tokens, pre, pre span)"
    inks = page.locator(printed).evaluate_all("all => all.map(e => getComputedStyle(e).color)")
    assert len(inks) > 1000
    for ink in set(inks):
        assert max(map(float, re.findall(r"[\d.]+", ink)[:3])) < 100, ink


def test_focus_can_be_seen(open_page):
    page = open_page("notebooks/02_text_data.html")
    control = page.locator(".lm-control input").first
    control.focus()
    page.keyboard.press("ArrowRight")
    style, width = control.evaluate(
        "e => [getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth]"
    )
    assert style == "solid" and float(width.removesuffix("px")) >= 2
    assert control.bounding_box()["height"] >= 44


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_lies_under_the_pointer_can_be_read(open_page, scheme):
    page = open_page("notebooks/02_text_data.html", scheme=scheme)
    page.add_style_tag(content="#pst-back-to-top { display: block !important; }")
    for place in (".bd-article p a.external", "#pst-back-to-top"):
        element = page.locator(place).first
        element.evaluate("e => e.toggleAttribute('data-judged', true)")
        look = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
        before = element.evaluate(look)
        assert complaints(page, "[data-judged]", runOnly=["color-contrast"]) == []
        element.hover()
        assert element.evaluate(look) != before
        assert complaints(page, "[data-judged]", runOnly=["color-contrast"]) == []


def test_formulas_are_set(open_page):
    page = open_page("notebooks/03_attention.html")
    root = page.locator("#eq-3-2 msqrt").bounding_box()
    inside = page.locator("#eq-3-2 msqrt mi").bounding_box()
    assert root["width"] > inside["width"] + 5 and root["y"] < inside["y"]
    assert page.locator("#eq-3-2 .lm-number").inner_text() == "(3.2)"


@pytest.mark.parametrize("path", FORMULAS)
def test_the_signs_of_formulas_are_the_books_own(open_page, path):
    page = open_page(path)
    tools = page.context.new_cdp_session(page)
    for call in ("DOM.enable", "CSS.enable"):
        tools.send(call)
    root = tools.send("DOM.getDocument")["root"]["nodeId"]
    signs = {"nodeId": root, "selector": "math :not(:has(*))"}
    for node in tools.send("DOM.querySelectorAll", signs)["nodeIds"]:
        used = tools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        assert all(font["isCustomFont"] for font in used), used


def test_no_formula_is_cut_at_its_top(open_page):
    """What scrolls sideways is cut at its other edges, too: signs stay inside them."""
    page = open_page("notebooks/03_attention.html", width=360)
    above = """all => all.map(e => Math.min(...[...e.querySelectorAll('mi, mo')]
        .map(c => c.getBoundingClientRect().top)) - e.getBoundingClientRect().top)"""
    formulas = page.locator(".lm-set")
    assert formulas.count() >= 2 and min(formulas.evaluate_all(above)) >= 0
    begins = "all => all.map(e => e.querySelector('math').getBoundingClientRect().left)"
    assert min(formulas.evaluate_all(begins)) >= 0


def test_search_finds(open_page):
    page = open_page("search.html?q=attention")
    page.wait_for_selector("#search-results li")
    found = page.locator("#search-results a").evaluate_all("all => all.map(e => e.href)")
    assert any("/notebooks/03_attention.html" in link for link in found)


def test_a_missing_page_says_so(open_page):
    """Styled and with its menu, at any depth."""
    page = open_page("no/such/place.html")
    assert page.answer.status == 404
    assert page.get_by_role("heading", level=1).inner_text().startswith("Page not found")
    assert (
        page.locator(".bd-sidebar-primary").evaluate("e => getComputedStyle(e).display") == "flex"
    )
    page.locator(".bd-sidebar-primary").get_by_role("link", name="Setup").click()
    page.wait_for_url("**/book/setup.html")


def test_the_front_door(open_page):
    page = open_page("")
    page.wait_for_url("**/book/intro.html")
    door = (SITE / "index.html").read_text(encoding="utf-8")
    assert "<title>A Language Model of Your Own</title>" in door and "<a href=" in door
    assert (SITE / "sitemap.xml").is_file() and (SITE / ".nojekyll").is_file()
