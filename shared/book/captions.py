"""Figures with a number and a caption, and the map that opens every chapter."""

import html
import re

from shared.book.picture import DRAWINGS, Picture, from_svg


def numbered(number: str, caption: str, picture: Picture) -> Picture:
    """The picture with its number, "3.2", and a caption that can be read without the text.

    `*word*` and `` `word` `` may stand in a caption. A text links to the figure by
    `<a href="#fig-3-2">Figure 3.2</a>`, which works on the site, in JupyterLab and in Colab.
    Raises ValueError on another kind of number or an empty caption.
    """
    if not re.fullmatch(r"[1-9AB]\.[1-9]\d?", number) or not caption.strip():
        raise ValueError(f"figure {number!r}: a number like 3.2, and a caption, not {caption!r}")
    words = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(caption, quote=False))
    words = re.sub(r"\*([^*]+)\*", r"<em>\1</em>", words)
    markup = (
        f'<figure class="lm-numbered" id="fig-{number.replace(".", "-")}">{picture.markup}'
        f"<figcaption><strong>Figure {number}.</strong> {words}</figcaption></figure>"
    )
    return Picture(markup, f"{number}. {caption} {picture.alt}")


def overview(part: str) -> Picture:
    """The map that opens every chapter, with the chapter's part in color.

    Parts are text, ids, vectors, attention, blocks, logits, training, classes, answers,
    preferences and practice. Raises ValueError on another.
    """
    svg = (DRAWINGS / "map.svg").read_text(encoding="utf-8")
    parts = re.findall(r'data-part="(.*?)"', svg)
    if part not in parts:
        raise ValueError(f"the map has no part {part!r}: it has {parts}")
    lit = svg.replace(f'<g data-part="{part}"', f'<g data-part="{part}" class="lit"', 1)
    alt = (
        "The way of a text through the model: text, token ids, vectors, blocks of attention and "
        f"feed-forward layers, logits, the next token. In color: {part}."
    )
    return from_svg(lit, alt)
