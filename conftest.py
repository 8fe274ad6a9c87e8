"""How the outputs of notebooks are compared (by nbval), and which cells are skipped, saying why."""

import re
from collections import Counter

import pytest
from nbval.plugin import IPyNbCell

from tests.notebooks import missing_data, tags

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[-+]?\d+)?")
LONGEST = ("/05_", "/07_", "/08_", "/06_", "/09_", "/B_", "/04_", "site/")  # these run first
FIGURE = re.compile(
    r'<div class="lm-figure[^"]*"><svg\b[^>]*?aria-label="([^"]*)"[^>]*>.*?</svg></div>', re.S
)


def words_of(output: str) -> str:
    """An output as it is compared: figures by their alternative texts, without addresses."""
    output = FIGURE.sub(r"\1", output)
    output = re.sub(r"\blm-[0-9a-f]{8}\b", "lm-", output)  # the id of a slider, from its figures
    output = re.sub(r"base64,[A-Za-z0-9+/=\s]+", "base64", output)
    return re.sub(r"\b0x[0-9a-f]{6,}\b", "0x...", output)


def last_place(number: str) -> float:
    """What one more in the last printed digit adds: 0.01 for 1.25, and 1e-7 for 1.25e-5."""
    digits, _, exponent = number.partition("e")
    return 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))


def room(tags: list[str]) -> tuple[float, float]:
    """What a cell's tags leave its numbers: `within:0.05`, or `within:10%` of the larger."""
    absolute = relative = 0.0
    for tag in tags:
        if tag.startswith("within:"):
            value = tag.removeprefix("within:")
            if value.endswith("%"):
                relative = float(value[:-1]) / 100
            else:
                absolute = float(value)
    return absolute, relative


def same_number(one: str, other: str, absolute: float = 0, relative: float = 0) -> bool:
    """Integers are the same. A decimal may differ by one in its last place, or by a 10^-5th.

    One in the last place is what rounding can do to equal numbers. A 10^-5th is what is left of
    the seven digits of float32 after long sums, which other machines add up in another order.
    Where a cell says `within:`, its numbers have that much room, integers too.
    """
    a, b = (float(number.replace(",", "")) for number in (one, other))
    if absolute or relative:
        return abs(a - b) <= 1e-9 + max(absolute, relative * max(abs(a), abs(b)))
    if not re.search(r"[.e]", one + other):
        return one == other
    place = 1.001 * min(last_place(one), last_place(other))
    return abs(a - b) <= max(place, 1e-5 * max(abs(a), abs(b)))


class Output(str):
    """A text that equals another if their words are equal and their numbers agree."""

    __hash__ = str.__hash__
    room = (0.0, 0.0)

    def __eq__(self, other):
        words, other_words = NUMBER.split(str(self)), NUMBER.split(str(other))
        if any(self.room):  # columns are as wide as their numbers
            words, other_words = ([*map(str.split, text)] for text in (words, other_words))
        numbers = zip(NUMBER.findall(self), NUMBER.findall(other), strict=False)
        return words == other_words and all(same_number(*pair, *self.room) for pair in numbers)

    def __ne__(self, other):
        return not self == other


def comparable(cell, output):
    """An output as nbval is to compare it, with the room that the cell's tags leave it."""
    if not isinstance(output, str):
        return output
    text = Output(words_of(output))
    text.room = room(tags(cell.cell))
    return text


def pytest_configure(config):
    IPyNbCell.sanitize = comparable


def pytest_collection_modifyitems(items):
    """The files that take longest come first, so that the workers end together."""
    items.sort(key=lambda item: [part not in str(item.path) for part in LONGEST])


def how_compared(cell) -> str:
    """What nbval does with a cell's output."""
    if "nbval-ignore-output" in tags(cell):
        return "not compared"
    if not cell.get("outputs"):
        return "without output"
    return "compared within a stated room" if any(room(tags(cell))) else "compared"


def pytest_runtest_setup(item):
    if not isinstance(item, IPyNbCell):
        return
    item.user_properties.append(("cell", how_compared(item.cell)))
    item.output_timeout = 60  # seconds for what a cell has printed to arrive: nbval has 5
    if names := missing_data(item.cell):
        pytest.skip(f"{' and '.join(names)} can't be had here")


def pytest_terminal_summary(terminalreporter):
    """At the end of a run: how many cells there were, and how their outputs were compared."""
    kinds = Counter()
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.getreports(outcome):
            kind = dict(getattr(report, "user_properties", ())).get("cell")
            if kind and (report.when == "call" or outcome == "skipped"):
                kinds["skipped" if outcome == "skipped" else kind] += 1
    if kinds:
        counted = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        terminalreporter.write_line(f"Cells of notebooks: {counted}")
