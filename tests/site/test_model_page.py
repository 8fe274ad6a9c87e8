"""The model in the page: PyTorch's numbers, Python's tokens, and a page that all can use."""

import base64
import json
import unicodedata

import numpy as np
import pytest
import torch
from page_model import CHECKPOINTS, write_model

from shared.model import (
    GPT,
    Decoding,
    GPTConfig,
    causal_weights,
    load_model,
    next_token_probs,
    save_model,
)
from shared.text import END_OF_TEXT, BPETokenizer, split_chunks
from shared.world import stories
from tests.site.conftest import SITE
from tests.site.test_pages import CONTAINERS, complaints
from tests.test_tokenizer import random_texts

MEGABYTE = 1_000_000
STAND_IN = GPTConfig(vocab_size=600, context_length=24, d_model=24, n_heads=3, n_layers=2)
SETTINGS = [(t, k, p) for t in (0, 0.3, 1, 2) for k in (1, 3, None) for p in (0.01, 0.5, 0.9, 1)]


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    """A checkpoint whose numbers are all random and large: nothing about it is symmetrical."""
    folder, generator = tmp_path_factory.mktemp("stand-in"), torch.Generator().manual_seed(0)
    model = GPT(STAND_IN)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            spread = 0.3 if weight.dim() == 1 else 0.2
            weight.normal_("ln" in name and name.endswith("weight"), spread, generator=generator)
    save_model(model, folder / "model.safetensors")
    texts = [story.text for story in stories(200)] + random_texts(1000, seed=2)
    BPETokenizer.train(texts, STAND_IN.vocab_size, [END_OF_TEXT]).save(folder / "vocabulary.json")
    files = (folder / name for name in ("model.safetensors", "vocabulary.json", "tales-model.js"))
    write_model(*files)
    return folder


def stored(script):
    """A model with the numbers of the page's file, read as that file is documented."""
    text = script.removeprefix("talesModel(").removesuffix(");\n")
    assert len(text) == len(script) - 14
    file = json.loads(text)
    data, at, weights = base64.b64decode(file["data"]), 0, {}
    for name, rows, columns in file["tensors"]:
        floats = np.frombuffer(data, "<f4", rows, at)
        integers = np.frombuffer(data, np.int8, rows * columns, at + 4 * rows)
        weight = floats[:, None] * integers.reshape(rows, columns) if columns else floats
        weights[name], at = torch.tensor(weight), at + 4 * rows + rows * columns
    assert at == len(data)
    model = GPT(GPTConfig(**file["config"], qkv_bias="h.0.attn.c_attn.bias" in weights))
    model.load_state_dict({**weights, "lm_head.weight": weights["wte.weight"]})
    return model


def route(page, script):
    page.route("**/tales-model.js", lambda route: route.fulfill(path=script))


def load(page):
    page.locator("#lm-write").click()
    page.locator("#lm-inside").wait_for(timeout=30_000)
    return page


class Loaded:
    """A model in the page, what it was made from, and PyTorch with the same numbers."""

    def __init__(self, page, folder, script):
        self.page = load(page)
        self.tokenizer = BPETokenizer.load(folder / "vocabulary.json")
        self.original, self.stored = load_model(folder / "model.safetensors"), stored(script)
        self.T = self.stored.config.context_length

    def ask(self, script, argument=None):
        """What a function in the page answers, as JSON: many numbers at once."""
        return json.loads(self.page.evaluate(f"x => JSON.stringify(({script})(x))", argument))

    def read(self, ids):
        return torch.tensor(self.ask("ids => model.read(ids).map(row => [...row])", ids))

    def texts(self, n=2, seed=7):
        """Rows of ids that fill the context: stories."""
        end = self.tokenizer.special_tokens[END_OF_TEXT]
        found = [[end, *self.tokenizer.encode(story.text)] for story in stories(2 * n, seed)]
        return [(a + b)[: self.T] for a, b in zip(found[::2], found[1::2], strict=True)]


@pytest.fixture(scope="module", params=["stand-in", "shipped"])
def loaded(request, site, contexts, stand_in):
    page = contexts(1280, "light").new_page()
    if request.param == "stand-in":
        folder, script = stand_in, stand_in / "tales-model.js"
        route(page, script)
    else:
        folder, script = CHECKPOINTS, SITE / "_static" / "tales-model.js"
        if not script.is_file():
            pytest.skip("the site was built without a checkpoint")
    page.goto(f"{site}/book/play.html")
    yield Loaded(page, folder, script.read_text(encoding="utf-8"))
    page.close()


@pytest.fixture
def play(site, contexts, stand_in):
    """play(width, path) -> a page with the stand-in, loaded."""
    pages = []

    def open_and_load(width=1280, path="book/play.html"):
        page = contexts(width, "light").new_page()
        pages.append(page)
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        route(page, stand_in / "tales-model.js")
        page.goto(f"{site}/{path}")
        return load(page)

    yield open_and_load
    for page in pages:
        page.close()


# The same numbers


@torch.no_grad()
def test_logits_are_those_of_pytorch(loaded):
    for ids in loaded.texts():
        expected = loaded.stored(torch.tensor([ids]))[0]
        assert expected.std() > 0.5
        torch.testing.assert_close(loaded.read(ids), expected, atol=1e-3, rtol=0)


@torch.no_grad()
def test_what_was_read_before_changes_nothing(loaded):
    """Shorter, longer, other in the middle: the cache keeps only what is still true."""
    a, b = loaded.texts()
    for ids in (a[:9], a, a[:7] + b[7:], a[:3], b[:1], a[:7] + b[7:12]):
        expected = loaded.stored(torch.tensor([ids]))[0]
        torch.testing.assert_close(loaded.read(ids), expected, atol=1e-3, rtol=0)


@torch.no_grad()
def test_attention_weights_are_those_of_pytorch(loaded):
    ids, model = loaded.texts()[0], loaded.stored
    loaded.read(ids)
    x = model.wte(torch.tensor([ids])) + model.wpe(torch.arange(len(ids)))
    for layer, block in enumerate(model.h):
        q, k, _ = block.attn.qkv(block.ln_1(x))
        rows = loaded.ask(
            "layer => model.attention[layer].map(rows => rows.map(row => [...row]))", layer
        )
        for head, weights in zip(rows, causal_weights(q, k)[0], strict=True):
            for t, row in enumerate(head[: len(ids)]):
                found, expected = torch.tensor(row).float(), weights[t, : t + 1]
                torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
        x = block(x)


@torch.no_grad()
def test_eight_bits_are_enough(loaded):
    """The rounding moves the next token's probabilities by little."""
    texts = loaded.texts(n=20)
    shortest = min(map(len, texts))
    rows = torch.tensor([ids[:shortest] for ids in texts])
    before, after = (m(rows).softmax(-1) for m in (loaded.original, loaded.stored))
    moved = (before - after).abs().sum(-1) / 2  # total variation, (B, T)
    # Muon lets single weights of a row grow: the shipped model is rounded a little more coarsely
    assert 0 < moved.mean() < 0.02 and moved.quantile(0.99) < 0.15, (moved.mean(), moved.max())


def test_token_ids_are_those_of_python(loaded):
    texts = [story.text for story in stories(50, seed=3)] + random_texts(1000, seed=1)
    texts += ["", " ", "  \n\n x ", "\ufeff", "a\ufeffb \x85\x1cc", "  \x85 \ufeff", "undefined"]
    texts += ["<|endoftext|>", "I'll, they've 12 ½", "lll ppp sss llllll ppppppp"]
    # what is no character yet becomes one in browser and Python at different times
    texts = [text for text in texts if "Cn" not in map(unicodedata.category, text)]
    assert len(texts) > 900
    chunks = loaded.ask("texts => texts.map(text => text.match(CHUNKS) ?? [])", texts)
    found = loaded.ask("texts => texts.map(text => tokenizer.encode(text))", texts)
    for text, cut, ids in zip(texts, chunks, found, strict=True):
        assert (cut, ids) == (split_chunks(text), loaded.tokenizer.encode_ordinary(text)), [text]
    assert loaded.ask("rows => rows.map(ids => tokenizer.decode(ids))", found) == texts


def test_bytes_that_are_no_text(loaded):
    rows = [[*range(start, 256, 3)] for start in range(200)] + [[loaded.tokenizer.vocab_size - 1]]
    found = loaded.ask("rows => rows.map(ids => tokenizer.decode(ids))", rows)
    assert found == [loaded.tokenizer.decode(ids) for ids in rows]


def test_temperature_top_k_top_p(loaded):
    logits = loaded.read(loaded.texts()[0][:20])[-1:]
    script = """all => all.map(([temperature, k, topP]) => [...nextTokenProbs(
        model.logits.at(-1), {temperature, topK: k ?? Infinity, topP})])"""
    for settings, found in zip(SETTINGS, loaded.ask(script, SETTINGS), strict=True):
        expected = next_token_probs(logits, Decoding(*settings))[0]
        torch.testing.assert_close(torch.tensor(found).float(), expected, msg=str(settings))


def test_tokens_are_drawn_with_their_probabilities(loaded):
    p = [0.0, 0.25, 0.0, 0.5, 0.125, 0.125, 0.0]
    script = "p => Array.from({length: 64}, (_, i) => sampleToken(p, i / 64))"
    drawn = loaded.ask(script, p)
    assert [drawn.count(i) for i in range(7)] == [64 * share for share in p]
    assert loaded.ask("() => sampleToken([0.3, 0.3, 0.3, 0], 0.99)") == 2  # rounded sums


def test_a_text_longer_than_the_context(play):
    """The model sees as many of the last tokens as its context holds."""
    page = play()
    page.locator("#lm-beginning").fill("once upon a time " * 20)
    seen = page.evaluate("[ids.slice(-model.config.context_length), model.ids, ids.length]")
    assert seen[0] == seen[1] and seen[2] > len(seen[0])
    assert page.get_by_role("option").count() == STAND_IN.context_length
    page.get_by_role("button", name="Write one token").click()
    assert page.get_by_role("option").count() == STAND_IN.context_length


# The page


def test_weight_of_the_page(open_page):
    """Little more than any page, until one asks for the model; the button says its size."""
    page, other = open_page("book/play.html"), open_page("book/notation.html")
    asked = [url for url in page.asked if url not in {*other.asked, page.url}]
    assert not any("tales-model" in url for url in asked)
    sizes = [(SITE / url.partition("/book/")[2].split("?")[0]).stat().st_size for url in asked]
    assert len(sizes) == 3 and sum(sizes) < MEGABYTE / 30
    model = SITE / "_static" / "tales-model.js"
    if model.is_file():
        assert model.stat().st_size < 2 * MEGABYTE
        said = f"Load the model ({model.stat().st_size / MEGABYTE:.1f} MB)"
        assert page.get_by_role("button", name=said).count() == 1


def test_a_story_by_keyboard_alone(play):
    page = play(width=360)
    page.locator("#lm-beginning").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Once upon")
    chips = page.get_by_role("option")
    typed = chips.count()
    assert page.evaluate("tokenizer.decode(ids.slice(1))") == "Once upon"
    for times, key in enumerate(["Enter", "Space", "Enter"], start=1):
        page.get_by_role("button", name="Write one token").press(key)
        assert chips.count() == typed + times
    page.get_by_role("button", name="Take one back").press("Enter")
    assert chips.count() == typed + 2
    bar = page.locator("#lm-bars button").nth(3)
    word = bar.locator(".lm-word").inner_text()
    bar.press("Enter")
    assert chips.last.inner_text().strip() == word.replace("␣", "").strip()
    page.get_by_role("option", selected=True).focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert chips.nth(1).evaluate("e => e === document.activeElement && e.ariaSelected === 'true'")
    assert chips.nth(1).inner_text() in page.locator("#lm-said").inner_text()
    page.get_by_role("button", name="Start over").press("Enter")
    assert chips.count() == typed


def test_another_word_in_the_middle(play):
    """What stood behind the chosen token makes way, also in the reader's own text."""
    page = play()
    page.locator("#lm-beginning").fill("a b c d")
    page.get_by_role("option").nth(2).click()
    before = page.evaluate("ids")
    page.locator("#lm-bars button").nth(5).click()
    after = page.evaluate("ids")
    assert after[:-1] == before[:3] and len(after) == 4
    assert page.locator("#lm-beginning").input_value() == "a b"


def test_writing_can_be_stopped(play):
    page = play()
    page.emulate_media(reduced_motion="no-preference")
    page.evaluate("tokenizer.end = -1")  # a story that doesn't end
    button = page.locator("#lm-write")
    for stop in ("Escape", "Space"):
        button.press("Enter")
        page.wait_for_function("ids.length > 30")
        assert button.inner_text() == "Stop"
        button.press(stop)
        page.wait_for_function("document.querySelector('#lm-write').innerText !== 'Stop'")
        length = page.evaluate("ids.length")
        page.wait_for_timeout(150)
        assert page.evaluate("ids.length") == length
        assert "tokens" in page.locator("#lm-status").inner_text()
        page.get_by_role("button", name="Start over").click()


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


@pytest.mark.parametrize("width", [1280, 360])
def test_axe_has_no_complaint_about_the_loaded_page(play, width):
    page = play(width)
    page.get_by_role("button", name="Write one token").click()
    widths = page.locator(CONTAINERS).evaluate_all("all => all.map(e => e.scrollWidth)")
    assert max(widths) <= width and page.errors == []
    right = "all => all.map(e => e.getBoundingClientRect().right)"
    edge, *edges = page.locator(".lm-play, .lm-play *").evaluate_all(right)
    assert max(edges) <= edge
    assert complaints(page) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector('html[data-theme="dark"]', state="attached")
    assert complaints(page, runOnly=["color-contrast"]) == []


def test_the_introduction_shows_less(play):
    page = play(360, "book/intro.html")
    page.get_by_role("button", name="Write one token").click()
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
    assert load(page).get_by_role("option").count() > 3
    page.close()
