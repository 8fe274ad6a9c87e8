"""The search answers while one types, and the section that teaches a thing stands first."""

import pytest

from tests.site.test_pages import complaints

RIGHT = {  # what one types: the section that should come first, by its number, or a page
    "attention": "3.1",
    "multi-head attention": "3.5",
    "causal mask": "3.4",
    "softmax": "3.1",
    "KV cache": "9.1",
    "temperature": "5.6",
    "nucleus sampling": "5.6",
    "top-k": "5.6",
    "perplexity": "5.1",
    "cross-entropy": "4.4",
    "overfitting": "5.5",
    "learning rate": "5.3",
    "warmup": "5.3",
    "LoRA": "6.5",
    "finetuning": "6.4",
    "padding": "6.3",
    "early stopping": "6.6",
    "RNN": "1.6",
    "hallucination": "1.4",
    "BPE": "2.3",
    "byte pair encoding": "2.3",
    "positional encoding": "2.7",
    "MLP": "4.2",
    "backpropagation": "A.3",
    "skip connection": "4.3",
    "tied embeddings": "4.4",
    "RoPE": "2.8",
}
ROWS = """all => all.map(e => [e.querySelector('a').getAttribute('href'), e.className,
    e.querySelector('.lm-found-title').textContent, e.querySelector('.lm-found-where').textContent,
    e.querySelector('.lm-found-about').textContent])"""


@pytest.fixture
def ask(open_page):
    """ask(words) -> the rows that the dialog shows, while nothing but letters has been typed."""
    page = open_page("notebooks/03_attention.html")
    page.keyboard.press("Control+k")
    field = page.locator("#pst-search-dialog input")

    def one(words):
        field.fill("")
        field.press_sequentially(words)
        page.wait_for_selector(".lm-found [role=status]", state="attached")
        page.wait_for_function("() => document.querySelector('dialog .lm-found p').textContent")
        return page.locator("#pst-search-dialog .lm-found li").evaluate_all(ROWS)

    one.page = page
    return one


def test_the_right_section_stands_first(ask):
    first = {}
    for words in RIGHT:
        rows = ask(words)
        first[words] = f"{rows[0][2]} {rows[0][3]}" if rows else "nothing"
    wrong = {w: first[w] for w, number in RIGHT.items() if f"{number} " not in first[w]}
    assert len(RIGHT) >= 25 and wrong == {}


def test_an_answer_defines_the_term_and_leads_to_the_place(ask):
    row = ask("finetuning")[0]
    assert row[1] == "lm-found-term" and len(row[4]) > 30 and "#" in row[0]
    ask.page.keyboard.press("ArrowDown")
    ask.page.keyboard.press("Enter")
    ask.page.wait_for_url(f"**{row[0].split('/book')[-1]}")


def test_beginnings_of_words_and_nonsense(ask):
    assert any(row[2] == "perplexity" for row in ask("perplex"))
    assert ask("xyzzyqqq") == []
    assert "no answers" in ask.page.locator("#pst-search-dialog .lm-found p").inner_text()
    assert ask("dropout attention")[0][0].count("03_attention") == 1


def test_the_search_page_answers_by_section(open_page):
    page = open_page("search.html?q=backpropagation")
    page.wait_for_selector("main .lm-found li")
    assert "A.3" in page.locator("main .lm-found li").first.inner_text()


@pytest.mark.parametrize("path", ["notebooks/06_classification.html", "book/glossary.html"])
def test_the_search_box_is_in_sight(open_page, path):
    page = open_page(path)
    box = page.locator(".bd-sidebar-primary .search-button-field")
    seen = """e => {const b = e.getBoundingClientRect();
        return e.contains(document.elementFromPoint(b.left + b.width / 2, b.top + b.height / 2))}"""
    for height in (720, 900, 1080):
        page.set_viewport_size({"width": 1280, "height": height})
        page.reload()
        page.wait_for_timeout(300)
        here = page.locator(".bd-docs-nav .active > a").last.bounding_box()
        assert here["y"] >= 0 and here["y"] + here["height"] <= height  # the list begins there
        side = ".bd-sidebar-primary"
        assert complaints(page, side, runOnly=["target-size"]) == []  # no link half under the box
        for scrolls in (side, f"{side} .sidebar-primary-item:has(nav)"):
            page.locator(scrolls).evaluate("e => e.scrollTop = 500")
        place = box.bounding_box()
        assert place["y"] >= 0 and place["y"] + place["height"] <= height
        assert box.evaluate(seen)


def test_words_stand_beside_the_magnifier(ask):
    ask("t")
    boxes = """() => {const f = document.querySelector('#pst-search-dialog form');
        const i = f.querySelector('i').getBoundingClientRect(), t = f.querySelector('input');
        const b = t.getBoundingClientRect(), room = parseFloat(getComputedStyle(t).paddingLeft);
        return [i.right, b.left + room, i.top - b.top, b.bottom - i.bottom]}"""
    icon, text, above, below = ask.page.evaluate(boxes)
    assert icon <= text and above > 0 and below > 0
