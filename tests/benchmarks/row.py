"""One line of the table of speeds: what was measured, and how many times as fast as whom."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A speed in a unit, its ratio to another's, and what the ratio should at least be."""

    group: str
    what: str
    speed: float
    unit: str
    ratio: float | None = None
    than: str = ""
    at_least: float | None = None  # of the ratio, or of the speed if there is no ratio

    @property
    def meets(self) -> bool:
        return (self.speed if self.ratio is None else self.ratio) >= (self.at_least or 0)

    def __str__(self) -> str:
        ratio = f", {rounded(self.ratio)} times {self.than}" if self.ratio is not None else ""
        said = f"{self.group}: {self.what}: {rounded(self.speed)} {self.unit}{ratio}"
        return said if self.meets else f"{said} (should be {self.at_least})"


def rounded(number: float) -> str:
    """Two digits behind the point below 10, one below 100, else none."""
    return f"{number:,.{2 if number < 10 else 1 if number < 100 else 0}f}"


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start
