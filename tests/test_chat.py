"""The chat box, with a button that is pressed from here."""

import pytest

from shared.tasks import ChatBox, transcript
from shared.tasks.chat import LATER


def echo(asked, given):
    if not asked:
        raise ValueError("the instruction is <empty>")
    return f"{asked}! & {given}"


def test_questions_and_answers_add_up():
    box = ChatBox(echo, given="A <b> kite", asked="Who")
    box.button.click()
    box.asked.value = "What"
    box.button.click()
    assert box.said.value == (
        "<p><b>You</b>: Who<br><b>Model</b>: Who! &amp; A &lt;b&gt; kite</p>"
        "<p><b>You</b>: What<br><b>Model</b>: What! &amp; A &lt;b&gt; kite</p>"
    )


def test_what_cannot_be_answered_is_said():
    box = ChatBox(echo)
    box.button.click()
    assert "(I can&#x27;t: the instruction is &lt;empty&gt;)" in box.said.value
    with pytest.raises(ZeroDivisionError):
        ChatBox(lambda *_: 1 / 0).ask()


def test_without_a_kernel_a_line_of_text_stands_there():
    box = ChatBox(echo)
    shown = box._repr_mimebundle_()
    assert shown["text/plain"] == LATER and LATER in shown["text/html"]
    view = shown["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == box.box.model_id


def test_a_transcript():
    markup = transcript("It's <here>.", [("Who?", "A & B"), ("Why?", "")]).markup
    assert "It&#x27;s &lt;here&gt;." in markup and "A &amp; B" in markup
    assert markup.count("<b>You</b>") == markup.count("<b>Model</b>") == 2
