"""Writing in the page: by keyboard, with a seed, on a phone, with odd input."""

import pytest

from tests.site.conftest import SITE
from tests.site.play import STAND_IN, WAIT, in_page, load, settle
from tests.site.test_pages import CONTAINERS, complaints

MEGABYTE = 1_000_000
ASSISTANT = "play/assistant-model.js"
VIEWS = ("write", "chat", "inside")


def test_weight_of_the_page(open_page):
    """Little more than any page, until one asks for the model; the button says its size."""
    page, other = open_page("book/play.html"), open_page("book/notation.html")
    asked = [url for url in page.asked if url not in {*other.asked, page.url}]
    assert not any("-model.js" in url for url in asked)
    sizes = [(SITE / url.partition("/book/")[2].split("?")[0]).stat().st_size for url in asked]
    assert 3 <= len(sizes) <= 14 and sum(sizes) < MEGABYTE / 12
    for name, words in (("tales-model.js", "Load the model ({})"), (ASSISTANT, "({})")):
        model = SITE / "_static" / name
        if model.is_file():
            size = f"{model.stat().st_size / MEGABYTE:.1f} MB"
            assert model.stat().st_size < 2 * MEGABYTE
            assert page.get_by_text(words.format(size)).count() >= 1


def test_a_story_by_keyboard_alone(play):
    page = play(width=360)
    page.locator("#lm-beginning").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Once upon")
    chips = settle(page).get_by_role("option")
    typed = chips.count()
    assert page.evaluate("tokenizer.decode(ids.slice(1))") == "Once upon"
    for times, key in enumerate(["Enter", "Space", "Enter"], start=1):
        page.get_by_role("button", name="Write one token").press(key)
        settle(page)
        assert chips.count() == typed + times
    page.get_by_role("button", name="Take one back").press("Enter")
    settle(page)
    assert chips.count() == typed + 2
    bar = page.locator("#lm-bars button").nth(3)
    word = bar.locator(".lm-word").inner_text()
    bar.press("Enter")
    settle(page)
    assert chips.last.inner_text().strip() == word.replace("␣", "").strip()
    page.get_by_role("option", selected=True).focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert chips.nth(1).evaluate("e => e === document.activeElement && e.ariaSelected === 'true'")
    assert chips.nth(1).inner_text() in page.locator("#lm-said").inner_text()
    page.get_by_role("button", name="Start over").press("Enter")
    settle(page)
    assert chips.count() == typed


def test_another_word_in_the_middle(play):
    """What stood behind the chosen token makes way, also in the reader's own text."""
    page = play()
    page.locator("#lm-beginning").fill("a b c d")
    settle(page)
    page.get_by_role("option").nth(2).click()
    before = page.evaluate("ids")
    page.locator("#lm-bars button").nth(5).click()
    settle(page)
    after = page.evaluate("ids")
    assert after[:-1] == before[:3] and len(after) == 4
    assert page.locator("#lm-beginning").input_value() == "a b"


def test_writing_can_be_stopped(play):
    page = play()
    page.emulate_media(reduced_motion="no-preference")
    button = page.locator("#lm-write")
    for stop in ("Escape", "Space"):
        page.evaluate("tokenizer.end = -1")  # a story that doesn't end
        button.press("Enter")
        page.wait_for_function("ids.length > 30")
        assert button.inner_text() == "Stop"
        button.press(stop)
        page.wait_for_function("document.querySelector('#lm-write').innerText !== 'Stop'")
        length = page.evaluate("ids.length")
        page.wait_for_timeout(150)
        assert page.evaluate("ids.length") == length
        assert "tokens" in page.locator("#lm-status").inner_text()
        page.evaluate("tokenizer.end = tokenizer.special['<|endoftext|>']")
        page.get_by_role("button", name="Start over").click()
        settle(page)


def test_sliders_move_the_bars(play):
    page = play()
    numbers = page.locator("#lm-bars .lm-percent")
    names = ("temperature", "top-k", "top-p")
    sliders = {name: page.get_by_role("slider", name=name) for name in names}
    sliders["temperature"].press("Home")
    assert numbers.all_inner_texts() == ["100 %"] + ["0 %"] * 9
    sliders["temperature"].press("End")
    assert numbers.all_inner_texts().count("0 %") == 0
    sliders["top-k"].press("Home")
    assert numbers.first.inner_text() == "100 %"
    for slider in sliders.values():
        assert slider.get_attribute("aria-valuetext") == slider.locator("+ output").inner_text()


def test_heads(play):
    page = play()
    heads = page.get_by_role("radio")
    assert heads.count() == STAND_IN.n_layers * STAND_IN.n_heads
    before = page.locator("#lm-said").inner_text()
    page.get_by_role("radio", name="Layer 1, head 1").press("ArrowRight")
    assert page.get_by_role("radio", name="Layer 1, head 2").is_checked()
    assert page.locator("#lm-said").inner_text() != before


@pytest.mark.parametrize("width", [360, 480, 768, 1280])
def test_axe_has_no_complaint_about_the_three_views(play, width):
    page = play(width)
    for view in VIEWS:
        page.locator(f"#lm-tab-{view}").click()
        if view == "chat":
            page.locator("#lm-story").fill("A story")  # for so small a model
            page.locator("#lm-questions button").first.click()
            page.wait_for_function("turns.length === 1 && !answering", timeout=WAIT)
        if view == "inside":
            page.locator("#lm-look").click()
            page.locator("#lm-tour").wait_for(timeout=WAIT)
            page.get_by_role("button", name="Block 2: attention").click()
        widths = page.locator(CONTAINERS).evaluate_all("all => all.map(e => e.scrollWidth)")
        assert max(widths) <= width
        for box in page.locator(".lm-play:visible").all():
            right = "all => all.map(e => e.getBoundingClientRect().right)"
            inner = box.locator("*:not(.lm-unseen):visible").evaluate_all(right)
            assert max(inner) <= box.evaluate("e => e.getBoundingClientRect().right")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_selector(f'html[data-theme="{scheme}"]', state="attached")
            only = {} if scheme == "light" else {"runOnly": ["color-contrast"]}
            assert complaints(page, **only) == [], (view, scheme)


def test_tabs_by_keyboard(play):
    page = play(360)
    page.get_by_role("tab", name="Write").focus()
    for key, name in (("ArrowRight", "Chat"), ("End", "Look inside"), ("ArrowRight", "Write")):
        page.keyboard.press(key)
        tab = page.get_by_role("tab", name=name)
        assert tab.evaluate("e => e === document.activeElement")
        assert tab.get_attribute("aria-selected") == "true"
        assert page.get_by_role("tabpanel").count() == 1
        assert page.get_by_role("tabpanel", name=name).count() == 1


ODD = [
    "",
    "   ",
    "🙂🙃",
    "\u0645\u0631\u062d\u0628\u0627",
    "<|endoftext|>",
    "<script>alert(1)</script>",
    "a\u0300\ufeff\x01",
]


def test_odd_input_is_read_as_it_stands(play):
    page = play()
    for text in ODD:
        page.locator("#lm-beginning").fill(text)
        settle(page)
        assert page.evaluate("tokenizer.decode(ids.slice(1))") == text
        page.get_by_role("button", name="Write one token").click()
        settle(page)
    page.locator("#lm-beginning").fill("")
    assert "Nothing yet" in settle(page).locator("#lm-status").inner_text()


def test_bytes_of_a_character_stand_together(play):
    page = play()
    page.locator("#lm-beginning").fill("🙂")
    shown = settle(page).get_by_role("option").all_inner_texts()
    n = len(shown) - 1
    assert n > 1 and shown[1:] == ["🙂"] + (n - 1) * ["·"]
    assert page.get_by_role("option", name=f"🙂, part 2 of {n}").count() == 1
    for _ in range(n - 1):
        page.get_by_role("button", name="Take one back").click()
    assert "\\xf0" in settle(page).get_by_role("option").last.inner_text()


def test_a_long_text_is_not_cut_in_silence(play):
    page, T = play(), STAND_IN.context_length
    page.locator("#lm-beginning").fill("once upon a time " * 300)  # 5,100 characters
    said = settle(page).locator("#lm-status").inner_text()
    n, shown = page.evaluate("[ids.length, shown.length]")
    assert f"has {n:,} tokens" in said.replace(f"{n} tokens", f"{n:,} tokens")
    assert f"the first {n - shown} are dropped" in said and T // 2 < shown <= T
    assert page.get_by_role("option").count() == shown
    page.locator("#lm-beginning").fill("b" * 20_000)
    assert "the last 10000 are read" in settle(page).locator("#lm-status").inner_text()
    page.get_by_role("button", name="Write one token").click()
    assert T // 2 < settle(page).get_by_role("option").count() <= T


def test_a_seed_tells_the_same_story(play, site):
    """A link has the beginning, the seed and the sliders, and leads to the same text."""
    first = play()
    first.locator("#lm-beginning").fill("Once, ü")
    first.get_by_label("Seed", exact=True).fill("77")
    first.get_by_role("slider", name="temperature").press("End")
    first.get_by_role("slider", name="top-k").press("ArrowLeft")
    settle(first).get_by_role("button", name="Copy a link").click()
    first.get_by_text("link").first.wait_for()
    first.wait_for_function("location.hash.length > 10")
    texts = []
    for page in (first, play(path=first.url.removeprefix(f"{site}/"))):
        page.bring_to_front()  # where nobody looks, a page is drawn once a second
        assert page.locator("#lm-beginning").input_value() == "Once, ü"
        assert page.evaluate("[seed(), settings().temperature, settings().topK]") == [77, 2, 200]
        for _ in range(8):
            page.get_by_role("button", name="Write one token").click()
            settle(page)
        texts.append(page.evaluate("ids"))
    assert texts[0] == texts[1]
    first.bring_to_front()
    first.get_by_role("button", name="Start over").click()
    first.get_by_label("Seed", exact=True).fill("78")
    for _ in range(8):
        settle(first).get_by_role("button", name="Write one token").click()
    assert settle(first).evaluate("ids") != texts[0]


@pytest.mark.parametrize(
    "link", ["text=%F0%9F&seed=x&temperature=1e9&k=-5&p=nan", "text=&view=none"]
)
def test_a_broken_link_breaks_nothing(play, link):
    page = play(path=f"book/play.html#{link}")
    page.get_by_role("button", name="Write one token").click()
    assert settle(page).get_by_role("option").count() >= 2
    assert 0 <= page.evaluate("settings().temperature") <= 2
    assert page.evaluate("settings().topK >= 1")


def test_uniform_numbers_of_seeds(play):
    found = in_page(
        play(),
        """() => [1, 2, 3].map(seed =>
        Array.from({ length: 2000 }, (_, n) => uniform(seed, n)))""",
    )
    for row in found:
        assert min(row) >= 0 and max(row) < 1 and len({*row}) > 1990
        assert abs(sum(row) / 2000 - 0.5) < 0.03
        assert abs(sum(u < 0.1 for u in row) / 2000 - 0.1) < 0.03
    assert found[0] != found[1]


def test_the_status_tells_how_fast_it_was(play):
    page = play()
    page.get_by_label("full speed").check()
    page.locator("#lm-write").click()
    page.wait_for_function("!writing && /a second/.test(find('status').textContent)", timeout=WAIT)
    assert "the model alone computes" in page.locator("#lm-status").inner_text()
    page.locator("#lm-beginning").fill("A new one")
    assert settle(page).locator("#lm-status").inner_text() == "The model has read your beginning."


def test_the_introduction_shows_less(play):
    page = play(360, "book/intro.html")
    page.get_by_role("button", name="Write one token").click()
    settle(page)
    assert page.get_by_role("option").count() > 3
    assert page.locator("#lm-bars button:visible").count() == 10
    assert page.get_by_role("slider").count() == page.get_by_role("radio").count() == 0


def test_less_motion_for_those_who_ask(play):
    page, style = play(), "getComputedStyle(document.querySelector('.lm-chip')).transitionDuration"
    assert page.evaluate(style) == "0s"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(style) != "0s"


def test_a_page_without_its_model_says_so(open_page):
    page = open_page("book/play.html")
    page.route("**/tales-model.js", lambda route: route.abort())
    page.locator("#lm-write").click()
    page.get_by_text("can't be loaded").wait_for(timeout=5000)
    assert page.locator("#lm-write").inner_text() == "Load the model"


def test_it_works_from_a_disk(contexts):
    if not (SITE / "_static" / "tales-model.js").is_file():
        pytest.skip("the site was built without a checkpoint")
    page = contexts(1280, "light").new_page()
    page.goto((SITE / "book" / "play.html").as_uri())
    n = load(page).get_by_role("option").count()
    page.get_by_role("button", name="Write one token").click()
    assert settle(page).get_by_role("option").count() == n + 1 > 4
    assert page.evaluate("typeof GPT") == "function"  # a disk's page may start no worker
    page.get_by_role("tab", name="Look inside").click()
    page.locator("#lm-look").click()
    page.locator("#lm-tour").wait_for(timeout=WAIT)
    page.close()


def test_typing_stops_the_writing_and_its_status(play):
    page = play()
    page.emulate_media(reduced_motion="no-preference")
    page.evaluate("tokenizer.end = -1")  # a story that doesn't end
    page.locator("#lm-write").click()
    page.wait_for_function("ids.length > 20")
    page.evaluate("tokenizer.end = tokenizer.special['<|endoftext|>']")
    page.locator("#lm-beginning").fill("Another")
    settle(page)
    page.wait_for_timeout(300)
    assert page.locator("#lm-status").inner_text() == "The model has read your beginning."
    assert page.locator("#lm-write").inner_text() == "Write a story"
    assert page.evaluate("tokenizer.decode(ids.slice(1))") == "Another"
