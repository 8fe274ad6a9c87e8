"""Words of the glossary in the chapters: links with a card, for pointer and keyboard."""

import pytest

from tests.site.test_pages import complaints


def test_a_card_opens_and_closes(open_page):
    page = open_page("notebooks/03_attention.html")
    link, card = page.locator("a.lm-term").nth(1), page.locator("#lm-card")
    assert card.is_hidden()
    link.focus()
    assert card.is_visible() and card.inner_text() == link.get_attribute("data-about")
    assert link.get_attribute("aria-describedby") == "lm-card"
    assert complaints(page, "#lm-card", runOnly=["color-contrast", "aria-tooltip-name"]) == []
    page.keyboard.press("Escape")
    assert card.is_hidden() and link.get_attribute("aria-describedby") is None
    link.hover()
    card.wait_for(state="visible")
    card.hover()
    page.wait_for_timeout(400)
    assert card.is_visible()
    page.mouse.move(2, 2)
    card.wait_for(state="hidden")


@pytest.mark.parametrize("width", [360, 1280])
def test_a_card_stays_on_the_page(open_page, width):
    page = open_page("notebooks/02_text_data.html", width=width)
    for link in page.locator("a.lm-term").all():
        if link.is_visible():
            link.focus()
            box = page.locator("#lm-card").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width
