"""What helps reading: code that fits, notes, letters of our own, ways on, solutions, verdicts."""

import io
from itertools import pairwise

import pytest
from PIL import Image, ImageStat

from tests.notebooks import CHAPTERS
from tests.site.conftest import SITE, read_through
from tests.site.test_figures import WRONG

each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
CODE = """all => all.map(e => [e.scrollWidth > e.clientWidth + 1, e.classList.contains('lm-cut'),
    getComputedStyle(e).overflowX])"""
# Of each drawing its figure, its edges, the height of its smallest letters as they are seen, and
# whether something around it hides a part of it.
DRAWN = """() => [...document.querySelectorAll('figure .lm-figure > svg')]
    .filter(e => e.clientWidth).map(e => {
        const {left, right, width} = e.getBoundingClientRect();
        const size = t => parseFloat(getComputedStyle(t).fontSize);
        const letters = [...e.querySelectorAll('text')].map(size);
        let cut = false;
        for (let a = e.parentElement; a; a = a.parentElement) {
            const box = a.getBoundingClientRect();
            const outside = box.left > left + 1 || box.right < right - 1;
            cut ||= outside && getComputedStyle(a).overflowX !== 'visible';
        }
        const name = e.closest('figure').id;
        const scale = width / e.viewBox.baseVal.width;
        return [name, left, right, Math.min(...letters) * scale, cut]; })"""
TABLES = """() => [...document.querySelectorAll('.lm-columns pre')]
    .map(e => [e.innerText, getComputedStyle(e).whiteSpace !== 'pre'])"""
LINKS = "all => all.map(e => e.getAttribute('href'))"
BOXES = """all => all.map(e => e.getBoundingClientRect())
    .map(box => ({left: box.left, right: box.right, top: box.top, bottom: box.bottom}))"""
WIDE = """() => [...document.querySelectorAll('.lm-figure')].filter(e => e.clientWidth &&
    e.scrollWidth > e.clientWidth + 2 && !e.classList.contains('lm-cut')).length"""


def test_code_fits(chapter):
    code = chapter.locator(".cell_input pre:visible").evaluate_all(CODE)
    wide = [cell for cell in code if cell[0]]
    assert len(code) > 25 and len(wide) < 0.05 * len(code)
    assert all(cut and flow == "auto" for _, cut, flow in wide)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_cue_is_seen(open_page, scheme):
    """What goes on behind the right edge fades there: at the edge nothing is as dark or bright."""
    page = open_page("notebooks/04_gpt.html", 390, scheme)
    read_through(page)
    code = page.locator(".cell_input pre.lm-cut:visible").first
    code.scroll_into_view_if_needed()
    box = code.bounding_box()
    edge = {"x": box["x"] + box["width"] - 22, "y": box["y"], "width": 20, "height": box["height"]}

    def strength():
        picture = Image.open(io.BytesIO(page.screenshot(clip=edge))).convert("L")
        return ImageStat.Stat(picture).stddev[0]

    faded = strength()
    code.evaluate("e => e.classList.remove('lm-cut')")
    assert faded < 0.7 * strength()


def test_the_contents_show_the_section(chapter):
    """They stay beside the text, on a laptop's screen, and mark where one is."""
    contents = chapter.locator("#pst-page-toc-nav .toc-h2 > a")
    sections = chapter.locator("article > section > section")
    for i in (0, 2, sections.count() - 2):
        sections.nth(i).evaluate("e => scrollTo(0, e.getBoundingClientRect().top + scrollY - 90)")
        chapter.evaluate("() => new Promise(requestAnimationFrame)")
        box = contents.last.bounding_box()
        assert box["y"] > 0 and box["y"] + box["height"] <= 800
        marked = chapter.locator("#pst-page-toc-nav [aria-current]")
        assert marked.count() == 1
        title = sections.nth(i).locator("h2").first.inner_text().rstrip("#").strip()
        assert marked.inner_text().strip() == title


def test_each_exercise_leads_to_its_solution(chapter):
    places = chapter.locator("a.lm-solution").evaluate_all(LINKS)
    assert len(places) >= 4 and len(set(places)) == len(places)
    assert all(f"solutions/{chapter.stem}.html#" in place for place in places)


def test_terms_lead_to_the_glossary(chapter):
    places = chapter.locator("a.lm-term").evaluate_all(LINKS)
    assert len(places) >= 10 and len(set(places)) == len(places)
    assert all("/book/glossary.html#term-" in place for place in places)
    assert chapter.locator("a.lm-term[title]").count() == 0  # the card says it, once


def test_labels_can_be_read(chapter):
    assert chapter.locator(".lm-figure svg").count() >= 2
    assert not chapter.locator("main").first.evaluate(WRONG)


def test_notes_have_the_margin_to_themselves(chapter):
    """Beside the text and on the page, and none lies on another."""
    notes = chapter.locator(".lm-note")
    assert notes.count() >= 1 and chapter.locator("a.lm-cite[data-about]").count() >= 2
    text = chapter.locator("article > section > p").first.bounding_box()
    boxes = sorted(notes.evaluate_all(BOXES), key=lambda box: box["top"])
    assert all(box["left"] > text["x"] + text["width"] and box["right"] <= 1280 for box in boxes)
    for box, after in pairwise(boxes):
        assert box["bottom"] <= after["top"]
    assert all(item.is_visible() for item in notes.locator("li").all())
    for noted in chapter.locator(".lm-noted").all():
        assert noted.locator("> p").count() == noted.locator("> details").count() == 1


def test_the_head_and_the_ways_on(chapter):
    """On a screen without side bars, too."""
    chapter.set_viewport_size({"width": 768, "height": 800})
    assert "minutes to read" in chapter.locator(".lm-minutes").inner_text()
    assert chapter.locator(".lm-sections a:visible").count() >= 8
    ways = chapter.locator(".lm-way a").evaluate_all(LINKS)
    assert len(ways) == 2 and ways == chapter.locator(".prev-next-area a").evaluate_all(LINKS)
    chapter.set_viewport_size({"width": 1280, "height": 800})


@each_chapter
def test_on_a_phone(open_page, path):
    """What is far away has no height yet, and still a link leads to where it says.

    A drawing fits the screen and can be read; a table keeps its lines and says if it is cut.
    """
    page = open_page(f"notebooks/{path.stem}.html", width=360)
    for i in (1, 5, 2):
        link = page.locator(".lm-sections a").nth(i)
        link.evaluate("e => e.click()")
        place = page.locator(link.evaluate("e => e.hash")).locator("h2")
        page.wait_for_timeout(300)
        assert 0 <= place.bounding_box()["y"] < 200
    read_through(page)
    assert page.evaluate(WIDE) == 0
    drawn = page.evaluate(DRAWN)
    assert len(drawn) >= 8
    for name, left, right, letters, cut in drawn:
        assert left >= 0 and right <= 360 and letters >= 6.5 and not cut, (name, letters, cut)
    tables = page.evaluate(TABLES)
    assert len(tables) >= 2 and not [words for words, wrapped in tables if wrapped]


def test_letters_are_the_books_own(open_page):
    page = open_page("notebooks/03_attention.html")
    loaded = page.evaluate("""() => [...document.fonts].filter(f => f.status == 'loaded')
        .map(f => f.family.replaceAll('"', ''))""")
    assert {"Lm Serif", "Lm Sans", "Lm Mono", "Lm Math"} <= set(loaded)
    for part, family in (
        ("section > p:not([class])", "Lm Serif"),
        ("h2", "Lm Sans"),
        (".cell_input pre", "Lm Mono"),
    ):
        style = "e => getComputedStyle(e).fontFamily"
        assert family in page.locator(f".bd-article {part}").first.evaluate(style)
    fonts = list((SITE / "_static" / "fonts").glob("*.woff2"))
    assert len(fonts) == 6 and sum(font.stat().st_size for font in fonts) < 200_000


def test_hindi_has_letters_of_its_own(open_page):
    page = open_page("notebooks/02_text_data.html")
    assert page.locator("#fig-2-7").inner_text().count("पतंग") == 1
    page.locator("#fig-2-7").scroll_into_view_if_needed()
    loaded = (
        "() => [...document.fonts].some(f => f.unicodeRange == 'U+900-97F' && f.status == 'loaded')"
    )
    page.wait_for_function(loaded)


def test_a_section_is_more_than_a_part_of_it(open_page):
    page = open_page("notebooks/03_attention.html")
    page.locator("main").first.evaluate(
        "e => e.querySelector('section').insertAdjacentHTML('beforeend', '<h3 id=less>A part</h3>')"
    )
    style = "e => [getComputedStyle(e).fontSize, getComputedStyle(e).fontWeight].map(parseFloat)"
    more = page.locator(".bd-article h2").first.evaluate(style)
    less = page.locator("#less").evaluate(style)
    assert more[0] > less[0] and more[1] > less[1]


def test_verdicts_are_folded_and_open_on_paper(open_page):
    page = open_page("notebooks/03_attention.html")
    verdict = page.locator(".bd-article details:not(.hide, .lm-note)").first
    inside = verdict.locator("p").first
    assert not inside.is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert inside.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not inside.is_visible()


def test_no_icon_is_a_box():
    """The icons that the theme's styles add are in the fonts that are left."""
    from fontTools.ttLib import TTFont
    from light_pages import BY_STYLE, CSS, FONTS

    css = (SITE / "_static" / CSS).read_text(encoding="utf-8")
    icons = set(map(ord, BY_STYLE.findall(css)))
    fonts = [TTFont(path) for path in (SITE / "_static" / FONTS).glob("*.woff")]
    assert len(icons) > 10 and icons <= {code for font in fonts for code in font.getBestCmap()}
