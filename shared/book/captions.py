"""Figures with a number and a caption, and the map that opens every chapter."""

import html
import re

from shared.book.picture import DRAWINGS, PALETTE, Picture, from_svg

COLOR = PALETTE["orange"]


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


def overview(*parts: str) -> Picture:
    """The map that opens every chapter, with the chapter's parts in color.

    Parts are text, ids, vectors, attention, blocks, logits, training, classes, answers,
    preferences and practice.
    Raises ValueError on another.
    """
    svg = (DRAWINGS / "map.svg").read_text(encoding="utf-8")
    known = re.findall(r'data-part="(.*?)"', svg)
    if unknown := {*parts} - {*known}:
        raise ValueError(f"the map has no part {sorted(unknown)}: it has {known}")
    for part in parts:
        dark, lit = (f'<g data-part="{part}" fill="{fill}' for fill in ("none", COLOR))
        svg = svg.replace(dark, lit + '" fill-opacity="0.35')
    alt = (
        "The way of a text through the model: text, token ids, vectors, blocks of attention and "
        "feed-forward layers, logits, the next token, which joins the text; below, what later "
        f"chapters add. In color: {', '.join(parts) or 'nothing'}."
    )
    return from_svg(re.sub("<title>.*?</title>", "", svg), alt)
