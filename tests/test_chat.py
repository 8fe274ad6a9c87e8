"""A conversation that goes on, and the box for it, with a button that is pressed from here."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.model import GPT
from shared.tasks import Chat, ChatBox, chat, prompt_ids, transcript
from shared.tasks.chat import LATER, SHORTEST
from shared.world import Instruction
from tests.test_gpt import SMALL, seeded
from tests.test_instruct import TOKENIZER


def model_of(T=120):
    return GPT(type(SMALL)(TOKENIZER.vocab_size, T, 16, 2, 1), seeded())


@pytest.fixture
def asked(monkeypatch):
    """All that the model is asked; it answers how many turns it sees."""
    seen = []

    def respond(model, tokenizer, talks, decoding, generator):
        seen.extend(talks)
        return [f"turn {len(talks[-1])}"]

    monkeypatch.setattr(chat, "respond", respond)
    return seen


def test_all_that_was_said_before_reaches_the_model(asked):
    talk = Chat(model_of(), TOKENIZER, "the cat")
    assert [talk.say(text) for text in ("Who?", "And?")] == ["turn 1", "turn 2"]
    assert asked[1] == [Instruction("Who?", "the cat", "turn 1"), Instruction("And?")]


def test_the_oldest_turns_are_forgotten_first_and_the_story_never(asked):
    talk = Chat(model_of(), TOKENIZER, "the cat and the dog")
    for i in range(30):
        talk.say(f"What {i}?")
    last = asked[-1]
    assert 2 <= len(last) < 12 and last[0].input == "the cat and the dog"
    assert [turn.instruction for turn in last] == [f"What {i}?" for i in range(30 - len(last), 30)]
    assert len(prompt_ids(TOKENIZER, last)) + SHORTEST <= 120


def test_what_just_fits_is_in_view():
    said = [Instruction("What?", "", "A kite."), Instruction("Whose?")]
    length = len(prompt_ids(TOKENIZER, said)) + SHORTEST
    assert Chat(model_of(length), TOKENIZER).in_view(said) == said
    assert Chat(model_of(length - 1), TOKENIZER).in_view(said) == said[1:]


def test_what_does_not_fit_alone_is_refused():
    talk = Chat(model_of(20), TOKENIZER, "the cat and the dog " * 9)
    with pytest.raises(ValueError, match="no room"):
        talk.say("Who?")
    assert not talk.turns


def test_questions_and_answers_add_up(asked):
    box = ChatBox(Chat(model_of(), TOKENIZER, "A <b> kite"), asked="Who & why")
    box.button.click()
    box.asked.value = "What"
    box.button.click()
    assert box.said.value == (
        "<p><b>You</b>: Who &amp; why<br><b>Model</b>: turn 1</p>"
        "<p><b>You</b>: What<br><b>Model</b>: turn 2</p>"
    )
    assert box.asked.value == "" and "A &lt;b&gt; kite" in box.box.children[0].value


def test_what_cannot_be_answered_is_said():
    box = ChatBox(Chat(model_of(), TOKENIZER), asked=" ")
    box.button.click()
    assert "(I can&#x27;t: the instruction is empty" in box.said.value


def test_without_a_kernel_a_line_of_text_stands_there():
    box = ChatBox(Chat(model_of(), TOKENIZER, "A 'kite' & a #hat"), "Who?")
    shown = box._repr_mimebundle_()
    link = html.unescape(re.search(r'href="([^"]+)"', shown["text/html"])[1])
    assert link.startswith("../book/play.html#") and parse_qs(urlsplit(link).fragment) == {
        "view": ["chat"],
        "story": ["A 'kite' & a #hat"],
        "asked": ["Who?"],
    }
    assert shown["text/plain"] == LATER and LATER in shown["text/html"]
    view = shown["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == box.box.model_id


def test_a_transcript():
    turns = [Instruction("Who?", output="A & B"), Instruction("Why?")]
    picture = transcript(turns, "It's <here>.")
    assert "It&#x27;s &lt;here&gt;." in picture.markup and "A &amp; B" in picture.markup
    assert picture.markup.count("<b>You</b>") == picture.markup.count("<b>Model</b>") == 2
    assert "Given" not in transcript(turns).markup and "Who? Model: A & B" in picture.alt
