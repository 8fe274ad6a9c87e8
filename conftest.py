"""How the outputs of notebooks are compared (by nbval), and which cells are skipped, saying why."""

import re

import pytest
from nbval.plugin import IPyNbCell

from tests.notebooks import missing_data

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[-+]?\d+)?")
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


def same_number(one: str, other: str) -> bool:
    """Integers are the same. A decimal may differ by one in its last place, or by a 10^-5th.

    One in the last place is what rounding can do to equal numbers. A 10^-5th is what is left of
    the seven digits of float32 after long sums, which other machines add up in another order.
    """
    if not re.search(r"[.e]", one + other):
        return one == other
    a, b = (float(number.replace(",", "")) for number in (one, other))
    place = 1.001 * min(last_place(one), last_place(other))
    return abs(a - b) <= max(place, 1e-5 * max(abs(a), abs(b)))


class Output(str):
    """A text that equals another if their words are equal and their numbers agree."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        words, other_words = NUMBER.split(str(self)), NUMBER.split(str(other))
        numbers = zip(NUMBER.findall(self), NUMBER.findall(other), strict=False)
        return words == other_words and all(same_number(*pair) for pair in numbers)

    def __ne__(self, other):
        return not self == other


def pytest_configure(config):
    IPyNbCell.sanitize = lambda cell, output: (
        Output(words_of(output)) if isinstance(output, str) else output
    )


def pytest_runtest_setup(item):
    if isinstance(item, IPyNbCell) and (names := missing_data(item.cell)):
        pytest.skip(f"{' and '.join(names)} can't be had here")
