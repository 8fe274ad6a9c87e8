"""The server's own page in a browser: text and chat as a stream, a key, errors in words."""

import pytest

from shared.model import Decoding
from shared.serving import Limits
from shared.tasks import respond
from shared.text import END_OF_TEXT
from shared.world import Instruction
from tests.serving import TOKENIZER, T, alone, serving, small_model

MODEL = small_model()


@pytest.fixture
def page(browser):
    with serving(MODEL, Limits(key="k")) as address, browser.new_context() as context:
        page = context.new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(address)
        page.fill("#temperature", "0")
        page.fill("#key", "k")
        yield page


def said(page, expected):
    """What stands there in the end, HTML or not: it is only text."""
    page.wait_for_function("text => said.textContent === text", arg=expected, timeout=15_000)
    assert not page.errors


def test_a_text_and_an_answer(page):
    text = "<b>the cat</b>"
    ids = [TOKENIZER.special_tokens[END_OF_TEXT], *TOKENIZER.encode_ordinary(text)]
    page.fill("#text", text)
    page.click("button")
    said(page, text + alone(MODEL, ids, T - len(ids), Decoding(0))[0])
    page.select_option("#kind", "chat")
    page.click("button")
    said(page, respond(MODEL, TOKENIZER, [[Instruction(text)]])[0])


def test_what_goes_wrong_is_said(page):
    page.fill("#key", "")
    page.click("button")
    said(page, "It can't: the key is wrong, or not there")
    page.fill("#key", "k")
    page.fill("#text", "the cat " * 200)
    page.click("button")
    page.wait_for_function("() => said.textContent.includes('the context is 64 tokens')")


def test_everybody_can_use_it(page):
    from axe_playwright_python.sync_playwright import Axe

    assert Axe().run(page).violations_count == 0
