"""The first page: a story by the shipped model, and a card for each chapter.

The story is written while the site is built, so it is what this model writes.
"""

import re
from html import escape

from chapters import Chapter, chapters

PAGE, PLACE = "book/intro", "<!-- chapters -->"
CARD = """<li class="lm-card">
<a href="../{name}.html"><span class="lm-card-picture" aria-hidden="true">{picture}</span>
<span class="lm-card-title">{title}</span></a>
<span class="lm-card-about">{about}</span>
<span class="lm-card-minutes">{minutes} minutes to read, {exercises} for the exercises</span>
</li>"""


def decorative(svg: str) -> str:
    """A drawing without a name: the title beside it says what is to be said."""
    svg = re.sub(r' role="img"| aria-label="[^"]*"', "", svg)
    return svg.replace("<svg ", '<svg focusable="false" ', 1)


def card(chapter: Chapter) -> str:
    return CARD.format(
        name=chapter.name,
        picture=decorative(chapter.picture),
        title=escape(chapter.title),
        about=escape(" · ".join(re.sub(r"^\S+ |[*`]", "", one) for one in chapter.sections)),
        minutes=chapter.minutes,
        exercises=chapter.exercise_minutes,
    )


def story(beginning: str = "It was a sunny Sunday, and Lily", seed: int = 1) -> str:
    """What the shipped model tells, to the end of its story."""
    import torch

    from shared.model import Decoding, generate, load_tales
    from shared.text import END_OF_TEXT

    model, tokenizer = load_tales()
    end = tokenizer.special_tokens[END_OF_TEXT]
    chance = torch.Generator().manual_seed(seed)
    prompt = [end, *tokenizer.encode(beginning)]  # a story follows the end of another
    [ids] = generate(model, [prompt], 200, end, Decoding(temperature=0.6), chance)
    told = tokenizer.decode([i for i in ids[len(prompt) :] if i != end])
    return f"<b>{escape(beginning)}</b>{escape(told)}"


def colab(app) -> str:
    repository = app.config.html_theme_options["repository_url"].rstrip("/")
    branch = app.config.html_theme_options.get("repository_branch", "main")
    address = repository.replace("https://github.com/", "https://colab.research.google.com/github/")
    return f"{address}/blob/{branch}/{chapters()[0].name}.ipynb"


def fill_in(app, docname, text) -> None:
    if docname == PAGE:
        text[0] = text[0].replace("<!-- story -->", story()).replace("<!-- colab -->", colab(app))
        cards = "\n".join(card(chapter) for chapter in chapters())
        raw = f'````{{raw}} html\n<ul class="lm-cards">\n{cards}\n</ul>\n````'
        text[0] = text[0].replace(PLACE, raw)


def setup(app) -> dict:
    app.connect("source-read", fill_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
