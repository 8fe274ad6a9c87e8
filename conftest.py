"""How the outputs of notebooks are compared (by nbval), and which cells are skipped, saying why."""

import re

import pytest
from nbval.plugin import IPyNbCell

from tests.notebooks import missing_data

NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
PICTURE = re.compile(r'<div class="lm-(?:figure|slider)".*?</svg></div>(?:</div></div>)*', re.S)


def words_of(output: str) -> str:
    """An output as it is compared: pictures by their alternative texts, without addresses."""
    output = PICTURE.sub(lambda m: " ".join(re.findall(r'aria-label="([^"]*)"', m[0])), output)
    output = re.sub(r"base64,[A-Za-z0-9+/=\s]+", "base64", output)
    return re.sub(r"\b0x[0-9a-f]{6,}\b", "0x...", output)


def same_number(one: str, other: str) -> bool:
    """Integers are equal. A decimal may differ by one in its last place, or by a 10^-5th."""
    if not re.search(r"[.e]", one + other):
        return one.replace(",", "") == other.replace(",", "")
    a, b = (float(number.replace(",", "")) for number in (one, other))
    decimals = max(len(re.sub(r"e.*", "", n).partition(".")[2]) for n in (one, other))
    exponent = int((re.search(r"e([-+]?\d+)", one) or [0, 0])[1])
    return abs(a - b) <= max(1.001 * 10.0 ** (exponent - decimals), 1e-5 * abs(a))


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
