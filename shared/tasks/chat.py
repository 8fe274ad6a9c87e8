"""Talking to a model, used from chapter 7 on: a conversation that goes on, and a box for it."""

import html
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote, urlencode

import ipywidgets as widgets

from shared.book import Picture
from shared.model import GPT, GREEDY, Decoding
from shared.tasks.answers import prompt_ids, respond
from shared.text import BPEEncoder
from shared.world import Instruction

LATER = "Here a box to chat with appears when the notebook runs."
PAGE = "../book/play.html"  # where the site has a chat of its own
SHORTEST = 16  # tokens of room for an answer


class Chat:
    """A conversation: each answer is given with all that was said in view.

    What no longer fits is forgotten, the oldest turn first, but not the story.
    """

    def __init__(self, model: GPT, tokenizer: BPEEncoder, story: str = ""):
        self.model, self.tokenizer = model, tokenizer
        self.story, self.turns = story, []

    def say(self, text: str, decoding: Decoding = GREEDY, generator=None) -> str:
        """The model's answer, which from then on is part of what it reads."""
        talk = self.in_view([*self.turns, Instruction(text)])
        answer = respond(self.model, self.tokenizer, [talk], decoding, generator)[0]
        self.turns = [*talk[:-1], replace(talk[-1], output=answer)]
        return answer

    def in_view(self, talk: list[Instruction]) -> list[Instruction]:
        """The last turns that fit, with the story at their head."""
        talk = [replace(talk[0], input=self.story), *talk[1:]]
        length = len(prompt_ids(self.tokenizer, talk)) + SHORTEST
        fits = length <= self.model.config.context_length
        return talk if fits or len(talk) == 1 else self.in_view(talk[1:])


def transcript(turns: Sequence[Instruction], given: str = "") -> Picture:
    """A conversation, perhaps about a given text: what you said, and what the model answered."""
    said = "".join(
        f'<p style="margin:.4em 20% .4em 0"><b>You</b>: {html.escape(turn.instruction)}</p>'
        f'<p style="margin:.4em 0 .4em 10%"><b>Model</b>: {html.escape(turn.output)}</p>'
        for turn in turns
    )
    about = f"<p>Given: <i>{html.escape(given)}</i></p>" if given else ""
    words = " ".join(f"You: {turn.instruction} Model: {turn.output}" for turn in turns)
    return Picture(f'<div class="lm-chat">{about}{said}</div>', f"A conversation. {words}")


class ChatBox:
    """A line to write in, a button, and above them what has been said in a Chat.

    A ValueError of the chat is shown. Where no notebook runs, a line of text stands in its place,
    which leads to the site's own chat with the same story and question.
    """

    def __init__(self, chat: Chat, asked: str = ""):
        self.chat = chat
        self.asked = widgets.Text(value=asked, description="You")
        self.button = widgets.Button(description="Ask")
        self.said = widgets.HTML()
        self.button.on_click(self.ask)
        given = widgets.HTML(f"<i>{html.escape(chat.story)}</i>")
        self.box = widgets.VBox([given, self.said, self.asked, self.button])

    def ask(self, _=None) -> None:
        try:
            words = self.chat.say(self.asked.value)
        except ValueError as error:
            words = f"(I can't: {error})"
        you, model = html.escape(self.asked.value), html.escape(words)
        self.said.value += f"<p><b>You</b>: {you}<br><b>Model</b>: {model}</p>"
        self.asked.value = ""

    def _repr_mimebundle_(self, **_) -> dict:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        begun = {"view": "chat", "story": self.chat.story, "asked": self.asked.value}
        link = html.escape(f"{PAGE}#{urlencode(begun, quote_via=quote)}")
        there = f'<a href="{link}">The site has one</a>, with the same story and question.'
        return {
            "text/plain": LATER,
            "text/html": f"<p><i>{LATER} {there}</i></p>",
            "application/vnd.jupyter.widget-view+json": view,
        }
