"""What chapters cite: on cards, in the margin where it is wide, folded where it is not."""


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
