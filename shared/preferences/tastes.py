"""A reader whose taste is known: what makes a continuation good, in points, and how they choose.

The world itself says what has happened in a text, so that a taste is exact and not an opinion.
"""

import math
from functools import cache
from random import Random

from shared.world.facts import Facts
from shared.world.quality import fewest_mistakes

SHARING = ("borrow", "gift", "hunger", "rain")  # plots in which somebody may give or share


@cache
def reading(text: str) -> tuple[Facts, int] | None:
    """What is true after a story's beginning, and how many mistakes it has; None: no beginning.

    Of all ways to read it, one with the fewest mistakes counts.
    """
    best = fewest_mistakes(text)
    return None if best is None else (best.facts, len(best.mistakes))


def shares(text: str) -> bool:
    """Whether somebody gives or shares in the last episode of a beginning that is right."""
    facts, mistakes = reading(text) or ({}, 1)
    return not mistakes and facts.get("plot") in SHARING and facts.get("outcome") == "good"


def taste(prompt: str, continuation: str) -> float:
    """Points: 2 if it ends well, 2 more if somebody gives or shares, 1 if somebody speaks.

    Half a point less for each mistake; -2 if it is no beginning of a story.
    """
    facts, mistakes = reading(prompt + continuation) or ({}, None)
    if mistakes is None or "outcome" not in facts:
        return -2.0
    good = facts["outcome"] == "good"
    points = 2 * good + 2 * (good and facts["plot"] in SHARING) + ('"' in continuation)
    return points - mistakes / 2


def prefers_first(first: float, second: float) -> float:
    """Bradley and Terry (1952): the probability of choosing the first of two, by their points."""
    return 1 / (1 + math.exp(second - first))


def choose(first: float, second: float, random: Random) -> bool:
    """A noisy choice between two: whether it is the first."""
    return random.random() < prefers_first(first, second)
