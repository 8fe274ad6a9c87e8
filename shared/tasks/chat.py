"""Talking to a model in a notebook, used from chapter 7 on."""

import html
from collections.abc import Callable, Sequence

import ipywidgets as widgets

from shared.book import Picture

LATER = "Here a box to chat with appears when the notebook runs."


def transcript(given: str, turns: Sequence[tuple[str, str]]) -> Picture:
    """A conversation about a given text: what you said, and what the model answered."""
    said = "".join(
        f'<p style="margin:.4em 20% .4em 0"><b>You</b>: {html.escape(asked)}</p>'
        f'<p style="margin:.4em 0 .4em 10%"><b>Model</b>: {html.escape(answer)}</p>'
        for asked, answer in turns
    )
    about = f"<p>Given: <i>{html.escape(given)}</i></p>"
    return Picture(
        f'<div class="lm-chat">{about}{said}</div>', alt="A conversation with the model."
    )


class ChatBox:
    """A text, an instruction, a button, and below what has been said; `answer(asked, given)`.

    A ValueError of `answer` is shown. Where no notebook runs, a line of text stands in its place.
    """

    def __init__(self, answer: Callable[[str, str], str], given: str = "", asked: str = ""):
        self.answer = answer
        self.given = widgets.Textarea(value=given, description="Given")
        self.asked = widgets.Text(value=asked, description="You")
        self.button = widgets.Button(description="Ask")
        self.said = widgets.HTML()
        self.button.on_click(self.ask)
        self.box = widgets.VBox([self.given, self.asked, self.button, self.said])

    def ask(self, _=None) -> None:
        try:
            words = self.answer(self.asked.value, self.given.value)
        except ValueError as error:
            words = f"(I can't: {error})"
        you, model = html.escape(self.asked.value), html.escape(words)
        self.said.value += f"<p><b>You</b>: {you}<br><b>Model</b>: {model}</p>"

    def _repr_mimebundle_(self, **_) -> dict:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        return {
            "text/plain": LATER,
            "text/html": f"<p><i>{LATER}</i></p>",
            "application/vnd.jupyter.widget-view+json": view,
        }
