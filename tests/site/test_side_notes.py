"""What chapters cite: on cards, in the margin where it is wide, folded where it is not."""

from itertools import pairwise

import pytest

from tests.notebooks import CHAPTERS

each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
BOXES = """all => all.map(e => e.getBoundingClientRect())
    .map(box => ({left: box.left, right: box.right, top: box.top, bottom: box.bottom}))"""


@each_chapter
def test_notes_have_the_margin_to_themselves(open_page, path):
    """Beside the text and on the page, and none lies on another."""
    page = open_page(f"notebooks/{path.stem}.html")
    notes = page.locator(".lm-note")
    assert notes.count() >= 1 and page.locator("a.lm-cite[data-about]").count() >= 2
    text = page.locator("article > section > p").first.bounding_box()
    boxes = sorted(notes.evaluate_all(BOXES), key=lambda box: box["top"])
    assert all(box["left"] > text["x"] + text["width"] and box["right"] <= 1280 for box in boxes)
    for box, after in pairwise(boxes):
        assert box["bottom"] <= after["top"]
    assert all(item.is_visible() for item in notes.locator("li").all())
    for noted in page.locator(".lm-noted").all():
        assert noted.locator("> p").count() == noted.locator("> details").count() == 1


def test_on_a_phone_they_are_folded(open_page):
    page = open_page("notebooks/03_attention.html", width=360)
    note = page.locator(".lm-note").first
    assert note.locator("summary").is_visible() and not note.locator("li").first.is_visible()
    note.locator("summary").click()
    assert note.locator("li").first.is_visible()


def test_what_is_cited_shows_on_a_card(open_page):
    page = open_page("notebooks/03_attention.html")
    page.locator("a.lm-cite", has_text="Vaswani").first.focus()
    card = page.locator("#lm-card")
    assert "Ashish Vaswani and others: Attention Is All You Need (2017)" in card.inner_text()
    page.keyboard.press("Escape")
    assert not card.is_visible()
