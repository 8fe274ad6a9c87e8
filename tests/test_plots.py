import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
import torch

from shared.book import picture, plots

X = torch.linspace(0, 1, 50)


def wave(k: int = 1, alt: str = "a wave"):
    return plots.curves({"sine": (X, (k * X).sin()), "cosine": (X, X.cos())}, "x", "y", alt)


def svg_of(shown) -> ElementTree.Element:
    return ElementTree.fromstring(re.search(r"<svg.*</svg>", shown.markup, re.S)[0])


def test_a_plot_is_one_well_formed_image_with_its_alternative_text():
    svg = svg_of(wave(alt='a "wave" & more'))
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == 'a "wave" & more'


def test_ink_and_accents_come_from_the_page():
    markup = wave().markup
    assert "currentColor" in markup and plots.INK not in markup
    assert "var(--lm-blue, #3b82c4)" in markup
    assert not re.search(r"(?<!, )#3b82c4", markup)


def test_a_plot_is_the_same_text_in_every_run_and_small():
    assert wave().markup == wave().markup
    assert len(wave().markup) < 12_000


def test_two_figures_on_a_page_share_no_id():
    ids = [re.findall(r' id="([^"]+)"', wave(k).markup) for k in (1, 2)]
    assert ids[0] and not set(ids[0]) & set(ids[1])
    for shown in (wave(1), wave(2)):
        used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", shown.markup))
        assert used == set(re.findall(r' id="([^"]+)"', shown.markup))


def test_slider_has_one_visible_page_and_names_each_value():
    markup = plots.slider([wave(k) for k in (1, 2, 3)], [1, 10, 100], "frequency", start=1).markup
    pages = re.findall(r'<div class="lm-frame" data-value="(\d+)"( hidden)?>', markup)
    assert pages == [("1", " hidden"), ("10", ""), ("100", " hidden")]
    assert re.search(r"<output[^>]*>10</output>", markup)
    control = re.search(r'<label for="([^"]+)">frequency</label>', markup)[1]
    assert f'<input id="{control}" type="range" min="0" max="2" value="1"' in markup


@pytest.mark.parametrize(("count", "values", "start"), [(0, [], 0), (2, [1], 0), (2, [1, 2], 2)])
def test_slider_refuses_pages_that_do_not_fit(count, values, start):
    with pytest.raises(ValueError, match=f"{count} pictures, {len(values)} values, start {start}"):
        plots.slider([wave()] * count, values, "k", start)


def test_every_figure_needs_words():
    with pytest.raises(ValueError, match="alternative text"):
        wave(alt=" ")


def test_heatmap_writes_its_numbers_and_keeps_its_pixels():
    shown = plots.heatmap(torch.tensor([[0.25, 0.0], [1.0, 0.5]]), "ab", "cd", "m", numbers=True)
    words = [text.text for text in svg_of(shown).iter("{http://www.w3.org/2000/svg}text")]
    assert words == ["c", "d", "a", "b", ".25", ".00", "1.00", ".50"]
    assert "pixelated" in shown.markup


def places_of(shown, words):
    """Where each of the words stands: (x, y)."""
    found = {}
    for text in svg_of(shown).iter("{http://www.w3.org/2000/svg}text"):
        x, y = text.get("x"), text.get("y")
        if x is None:
            x, y = re.search(
                r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", text.get("transform")
            ).groups()
        found[text.text] = float(x), float(y)
    return [found[word] for word in words]


def labels_of(shown):
    """All texts of a figure."""
    texts = svg_of(shown).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(text.itertext()).strip() for text in texts]


def test_the_numbers_of_a_heatmap_stand_in_their_cells():
    """Row by row, and not column by column."""
    matrix = torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    shown = plots.heatmap(matrix, "ab", "cde", "Six numbers", numbers=True)
    (x1, y1), (x2, y2), (x4, y4) = places_of(shown, [".10", ".20", ".40"])
    assert x1 < x2 and y1 == pytest.approx(y2)
    assert x1 == pytest.approx(x4) and y1 < y4


def test_the_palest_shade_is_zero_and_not_the_least():
    """A matrix without zeros has no empty cell; the shades say how much, not only which is more."""

    def shades(matrix):
        axes = plots.figure(4, 4)[1]
        plots.heatmap(torch.tensor(matrix), ax=axes)
        (image,) = axes.get_images()
        return image.norm(torch.tensor(matrix).numpy()).tolist()

    assert shades([[0.5, 1.0]]) == [[0.5, 1.0]]
    assert shades([[0.0, 1.0]]) == [[0.0, 1.0]]
    assert shades([[-1.0, 1.0]]) == [[0.0, 1.0]]


def test_curves_pass_on_what_axes_are_to_be():
    lines = {"a": ([1, 10, 100], [1, 2, 3])}
    plain, log, cut = (
        plots.curves(lines, "x", "y", alt="A line that climbs", **axis)
        for axis in ({}, {"xscale": "log"}, {"ylim": (0, 50)})
    )
    assert "50" in labels_of(cut) and "50" not in labels_of(plain)
    assert len({*labels_of(log)}) < len({*labels_of(plain)})  # 1, 10, 100 and no steps of 20


def test_a_drawing_takes_its_words_from_its_title(tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "DRAWINGS", tmp_path)
    (tmp_path / "a.svg").write_text(
        '<svg viewBox="0 0 9 9"><title>One\n box</title><g id="x"/></svg>'
    )
    (tmp_path / "b.svg").write_text('<svg viewBox="0 0 9 9"></svg>')
    assert plots.drawing("a").alt == "One box"
    assert svg_of(plots.drawing("a")).get("aria-label") == "One box"
    with pytest.raises(ValueError, match="no <title>"):
        plots.drawing("b")


def test_tokens_keep_the_text_and_color_neighbors_differently():
    shown = plots.tokens(["a", " <b>", "\n", "c"])
    text = "".join(ElementTree.fromstring(shown.markup).itertext())
    assert text == "a <b>\nc"
    colors = re.findall(r"background:(#\w+)", shown.markup)
    assert all(one != other for one, other in pairwise(colors))


def test_numbers_are_shown_whole():
    """Coordinates are shortened, what one reads is not."""
    ticks = plots.curves({"a": ([0, 1], [0.0, 0.004])}, "x", "y", alt="A short line").markup
    labels = re.findall(r">\s*(0\.00\d)\s*<", ticks)
    assert len(labels) == len(set(labels)) >= 4
    cells = plots.heatmap([[10.25, 0.5], [-0.5, 1.0]], alt="Four numbers", numbers=True).markup
    assert all(
        f">{number}<" in cells.replace("−", "-") for number in ("10.25", ".50", "-.50", "1.00")
    )


def test_a_caption_is_text_and_no_markup():
    made = plots.numbered("3.1", "Where a < b & *c* holds", plots.drawing("gpt-block"))
    assert "Where a &lt; b &amp; <em>c</em> holds</figcaption>" in made.markup
    assert made.alt.startswith("3.1. Where a < b & *c* holds")
