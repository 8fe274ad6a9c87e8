"""Pictures for three kinds of page: the site, JupyterLab and Colab; light, dark and in print.

A picture is an inline SVG that takes its ink from the page (`currentColor`) and its accents from
the page's palette (`--lm-blue`, ...), and it says in words (`alt`) what it shows.
"""

import html
import re
from dataclasses import dataclass
from hashlib import sha256
from itertools import cycle
from pathlib import Path

DRAWINGS = Path(__file__).parents[2] / "book" / "figures"
INK = "#000000"
PALETTE = {
    "blue": "#3b82c4",
    "orange": "#d9822b",
    "green": "#3a9d6a",
    "red": "#cf5c5c",
    "purple": "#8a6fc0",
    "gray": "#808890",
}
TURN_PAGE = (
    "const s=this.closest('.lm-slider'),f=s.querySelectorAll('.lm-frame');"
    "f.forEach((e,i)=>{e.hidden=i!=this.value});const v=f[this.value].dataset.value;"
    "s.querySelector('output').textContent=v;this.setAttribute('aria-valuetext',v)"
)


@dataclass(frozen=True)
class Picture:
    """A finished figure: HTML where a page can show it, words where it cannot."""

    markup: str
    alt: str

    def _repr_html_(self) -> str:
        return self.markup

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"


def from_svg(svg: str, alt: str, kind: str = "lm-drawing") -> Picture:
    """The picture of an SVG file's text. Raises ValueError without an alternative text."""
    if not alt.strip():
        raise ValueError("a figure needs an alternative text that says what it shows")
    return Picture(f'<div class="lm-figure {kind}">{_inline(svg, alt)}</div>', alt)


def drawing(name: str) -> Picture:
    """A drawn figure, `book/figures/<name>.svg`; its `<title>` is the alternative text."""
    svg = (DRAWINGS / f"{name}.svg").read_text(encoding="utf-8")
    title = re.search(r"<title[^>]*>(.*?)</title>", svg, re.S)
    if title is None:
        raise ValueError(f"{name}.svg has no <title>: it needs one as its alternative text")
    return from_svg(svg.replace(title[0], ""), " ".join(html.unescape(title[1]).split()))


def tokens(pieces: list[str]) -> Picture:
    """Pieces of a text in boxes of alternating color, flowing like the text itself."""
    boxes = "".join(
        f'<span style="background:{color}50;outline:1px solid {color};outline-offset:-1px;'
        f'margin-right:2px;border-radius:3px;white-space:pre-wrap">'
        f"{html.escape(piece)}</span>"
        for piece, color in zip(pieces, cycle(PALETTE.values()), strict=False)
    )
    return Picture(f'<p class="lm-tokens" style="line-height:1.8">{boxes}</p>', "|".join(pieces))


def slider(pictures: list[Picture], values: list, label: str, start: int = 0) -> Picture:
    """Pictures behind one another, and a labelled range input that turns the pages; no kernel."""
    if len(pictures) != len(values) or not 0 <= start < len(pictures):
        raise ValueError(f"{len(pictures)} pictures, {len(values)} values, start {start}")
    name = "lm-" + digest(label + "".join(picture.markup for picture in pictures))
    words, value = html.escape(label), html.escape(str(values[start]))
    frames = "".join(
        f'<div class="lm-frame" data-value="{html.escape(str(v))}"{" hidden" * (i != start)}>'
        f"{picture.markup}</div>"
        for i, (picture, v) in enumerate(zip(pictures, values, strict=True))
    )
    markup = (
        f'<div class="lm-slider" data-lm-suppress-shortcuts="true"><div class="lm-control">'
        f'<label for="{name}">{words}</label> <input id="{name}" type="range" min="0" '
        f'max="{len(pictures) - 1}" value="{start}" aria-valuetext="{value}" '
        f'oninput="{TURN_PAGE}"> <output for="{name}">{value}</output></div>{frames}</div>'
    )
    pages = f"{label}: {', '.join(map(str, values))}"
    return Picture(markup, f"{pictures[start].alt} A slider turns the pages, {pages}.")


def digest(text: str) -> str:
    """Eight signs that stand for a text."""
    return sha256(text.encode()).hexdigest()[:8]


def _inline(svg: str, alt: str) -> str:
    """An SVG file made fit to stand in a page: small, ids of its own, the page's colors."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r'style="font: ([^;"]*? )?([\d.]+px)[^;"]*', r'style="font-size: \2', svg)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(?<=\d\.\d\d)\d+", "", tag[0]), svg)
    svg = re.sub(r" ?\n([LMCQz])", r"\1", svg)
    svg = svg.replace(INK, "currentColor").replace("<image ", '<image image-rendering="pixelated" ')
    for color, value in PALETTE.items():
        svg = re.sub(rf"(?<!, ){value}", f"var(--lm-{color}, {value})", svg)
    used, key = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", svg)), digest(svg)
    svg = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", svg)
    svg = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>f{key}-", svg)
    opening = re.search(r"<svg[^>]*>", svg)[0]
    box = re.search(r'viewBox="([^"]+)"', opening)[1]
    width = float(box.split()[2]) * (4 / 3 if 'pt"' in opening else 1)  # matplotlib writes points
    kept = "".join(re.findall(r' (?:font-size|text-anchor)="[^"]*"', opening))
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box}" role="img" aria-label="{html.escape(alt)}" fill="currentColor"{kept} '
        f'stroke-linejoin="round" style="width:100%;max-width:{width:.0f}px;height:auto">'
    )
    return re.sub(r">\s+<", "><", svg.replace(opening, root, 1)).strip()
