"""Tales, the book's own corpus, first read in chapter 2: small stories from known probabilities.

`tales.toml` holds the sentences. A story is told from left to right, and each choice is made where
the text first depends on it, uniformly among what still fits. So a story's probability is exact,
and its mean negative logarithm is the entropy: the lowest loss that any model can reach.
"""

import math
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

WORLD = tomllib.loads(Path(__file__).with_name("tales.toml").read_text(encoding="utf-8"))
PARTS = ("opening", "problem", "talk", "turn", "result", "ending")
SPLITS = ("train", "validation", "held_out")
GIRL = {"he": "she", "his": "her", "him": "her", "himself": "herself", "child": "girl"}
BOY = {"he": "he", "his": "his", "him": "him", "himself": "himself", "child": "boy"}
MARKS = re.compile(r"\{(\w+)\}|\[([^]]+)\]")


@dataclass(frozen=True)
class Story:
    """A text, what is true in it, and the logarithm of its probability in its split, in nats."""

    text: str
    facts: dict[str, str]
    log_prob: float


class Teller:
    """Tells one story; `random()` gives numbers in [0, 1), `held_out` says what may combine."""

    def __init__(self, random, held_out: bool, world: dict = WORLD):
        self.random, self.held_out, self.world = random, held_out, world
        self.facts, self.log_prob, self.parts = {}, 0.0, []

    def tell(self) -> Story:
        self.expand(self.choose(self.world["story"]))
        return Story(articles("".join(self.parts)), self.facts, self.log_prob)

    def choose(self, options: list):
        self.log_prob -= math.log(len(options))
        return options[int(self.random() * len(options))]

    def expand(self, template: str) -> None:
        """Write a template: its plain parts, its choices on the spot, and its names."""
        plain, *rest = MARKS.split(template)  # plain, name or None, choice or None, plain, ...
        self.write(plain)
        for name, choice, plain in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
            if choice:
                self.write(self.choose(choice.split("|")))
            elif name in ("story", "opening", "problem", "talk", "turn", "result", "ending"):
                self.expand(self.choose(self.sentences(name)))
            else:
                value = self.value(name.lower())
                self.write(value if name.islower() else value[0].upper() + value[1:])
            self.write(plain)

    def write(self, part: str) -> None:
        self.parts.append(part)

    def sentences(self, name: str) -> list[str]:
        """The sentences that fit here. The plot is chosen with the problem, and so on."""
        facts, plots = self.facts, self.world["plots"]
        if name == "problem":
            facts["plot"] = self.choose([plot for plot in plots if self.fits(plots[plot])])
        if name == "turn":
            facts["outcome"] = self.choose(["happy", "sad"])
        if name == "ending":
            kinds = self.world["ending"][facts["outcome"]]
            facts["ending"] = self.choose(self.allowed(facts["plot"], [*plots], kinds, every=6))
            return kinds[facts["ending"]]
        plot = plots.get(facts.get("plot"), {})
        return self.world.get(name) or plot.get(name) or plot[facts["outcome"]][name]

    def fits(self, plot: dict) -> bool:
        """Whether the plot can happen with the story's thing, in its place."""
        things = plot.get("things", self.world["thing"])
        places = plot.get("places", self.world["place"])
        return self.value("thing") in things and self.value("place") in places

    def value(self, name: str) -> str:
        """The value of a name: one that follows from others, or chosen now and kept."""
        facts = self.facts
        if name in BOY:
            return (GIRL if self.value("hero") in self.world["girls"] else BOY)[name]
        if name == "other":
            return facts["friend"] if "friend" in facts else f"the {facts['helper']}"
        if name not in facts:
            facts[name] = self.choose(self.options(name))
        return facts[name]

    def options(self, name: str) -> list[str]:
        names = self.world["girls"] + self.world["boys"]
        if name == "thing":
            return self.allowed(self.value("hero"), names, self.world["thing"], every=8)
        if name in ("hero", "friend"):
            return [child for child in names if child != self.facts.get("hero")]
        return self.world[name]

    def allowed(self, first: str, firsts: list, seconds: Iterable, every: int) -> list[str]:
        """What `first` goes with: every so many-th pair is held out, and only held-out ones are."""
        i = firsts.index(first)
        return [b for j, b in enumerate(seconds) if self.held_out == ((i + j) % every == 0)]


def articles(text: str) -> str:
    """ "an" for "a" before a vowel; the world's words begin as they sound."""
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def stories(n: int, seed: int = 0, split: str = "train") -> list[Story]:
    """n stories, the same for the same seed on every machine. From another seed come others.

    "train" and "validation" have the same probabilities. In every story of "held_out" hero and
    thing, and plot and ending, are pairs that occur in neither. Raises ValueError on a bad n or
    split.
    """
    if n < 0 or split not in SPLITS:
        raise ValueError(f"stories(n={n}, split={split!r}): n >= 0, and a split of {SPLITS}")
    random = Random(f"Tales {split} {seed}").random
    return [Teller(random, split == "held_out").tell() for _ in range(n)]
