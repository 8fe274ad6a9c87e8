"""The slides in a browser that has no network: they start, nothing is cut, nothing too high."""

import pytest

from tests.notebooks import ROOT
from tests.slides import make

LOOK = """() => {
  const slide = Reveal.getCurrentSlide().firstElementChild, box = slide.getBoundingClientRect();
  const code = [...slide.querySelectorAll("pre")];
  return {height: box.height, width: slide.scrollWidth - slide.clientWidth,
    cut: Math.max(0, ...code.map((pre) => pre.scrollWidth - pre.clientWidth)),
    zoom: Number(slide.style.zoom), words: slide.innerText.slice(0, 60)};
}"""


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """The slides of a chapter, opened as a file; whatever asks for another place is an error."""
    slides = make(ROOT / "notebooks" / "03_attention.ipynb", tmp_path_factory.mktemp("slides"))
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    page = context.new_page()
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("requestfailed", lambda request: page.wrong.append(request.url))
    page.goto(slides.as_uri())
    page.wait_for_function("Reveal.isReady() && MathJax.startup?.promise")
    page.evaluate("MathJax.startup.promise.then(() => true)")
    yield page
    context.close()


def test_every_slide(page):
    total = page.evaluate("Reveal.getTotalSlides()")
    assert total > 100
    for _ in range(total):
        seen = page.evaluate(LOOK)
        assert seen["height"] <= 721 and seen["cut"] <= 1 and seen["width"] <= 1, seen
        assert seen["zoom"] >= 0.45, seen  # readable from the last row
        page.keyboard.press("Space")
    assert page.evaluate("Reveal.getProgress()") == 1  # all were seen
    assert page.wrong == []


def test_formulas_are_drawn(page):
    assert page.locator("mjx-container").count() > 0
    assert page.locator("mjx-merror").count() == 0
