"""The book's plots: one house style, and one line of code for each of the usual kinds."""

import io
import re

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

from shared.book.captions import numbered, overview
from shared.book.picture import INK, PALETTE, Picture, drawing, from_svg, slider, tokens

__all__ = [
    "COLORS",
    "INK",
    "curves",
    "drawing",
    "figure",
    "from_svg",
    "heatmap",
    "numbered",
    "overview",
    "show",
    "slider",
    "tokens",
]

COLORS = list(PALETTE.values())
SHADE = LinearSegmentedColormap.from_list("shade", [(*to_rgb(COLORS[0]), 0), COLORS[0]])
STYLE = {
    "axes.prop_cycle": matplotlib.cycler(color=COLORS),
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "font.size": 10.5,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "svg.fonttype": "none",
    "svg.hashsalt": "the same names in every run",
}


def figure(width: float = 6, height: float = 3, columns: int = 1):
    """An empty figure in the house style, in inches: (figure, axes), several axes in one row."""
    matplotlib.rcParams.update(STYLE)
    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(1, columns)


def show(fig: Figure, alt: str) -> Picture:
    """Finish a matplotlib figure. `alt` says in words what it shows."""
    buffer = io.StringIO()
    fig.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return from_svg(buffer.getvalue(), alt, "lm-plot")


def curves(lines: dict, xlabel: str, ylabel: str, alt: str, width=6, height=3, **axis) -> Picture:
    """Labeled lines, {label: (x, y)}; further keywords (xscale="log", ylim=...) go to the axes."""
    fig, ax = figure(width, height)
    for label, (x, y) in lines.items():
        ax.plot(x, y, label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel, **axis)
    if len(lines) > 1:
        ax.legend()
    return show(fig, alt)


def heatmap(matrix, rows=(), columns=(), alt="", numbers=False, ax=None, width=4, height=4):
    """A matrix (rows, columns) as shades, darkest at its maximum; `numbers` writes the values in.

    `rows` and `columns` label the axes. Draws into `ax` and returns it if given, else a Picture.
    """
    matrix = np.asarray(matrix)
    fig, axes = (None, ax) if ax is not None else figure(width, height)
    axes.imshow(matrix, cmap=SHADE, vmin=min(0.0, float(matrix.min())), interpolation="none")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    slant = {"rotation": 45, "ha": "right"} if max(map(len, columns), default=0) > 3 else {}
    axes.set_xticks(range(len(columns)), columns, **slant)
    axes.set_yticks(range(len(rows)), rows)
    if numbers:
        for i, row in enumerate(matrix.tolist()):
            for j, value in enumerate(row):
                axes.text(
                    j, i, re.sub(r"^(-?)0\.", r"\1.", f"{value:.2f}"), ha="center", va="center"
                )
    return axes if fig is None else show(fig, alt)
