"""The teller, replayed: a text is told again, in all ways that the world allows.

So the same code that tells a story knows the probability of any beginning, and of any next piece
given what came before.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.world.facts import Facts
from shared.world.tales import world
from shared.world.templates import Choice, Name, Node
from shared.world.world import END, Todo, World


class Moment(NamedTuple):
    """One way to have told what was read: the rest of its last words, and what comes then."""

    rest: str
    todo: Todo
    facts: Facts
    log_prob: float
    mistakes: tuple[tuple[str, int], ...] = ()  # what is wrong, and at which character


class Reader:
    """Reads a text in pieces; `moments` are all ways to tell what was read so far."""

    def __init__(self, world: World):
        self.world, self.at, self.reached, self.seen = world, 0, 0, {}
        self.moments = [Moment("", *world.start, 0.0)]

    @property
    def log_prob(self) -> float:
        """Of all stories that begin like this, in nats; minus infinity if none does."""
        return log_sum_exp([moment.log_prob for moment in self.moments])

    def read(self, piece: str) -> "Reader":
        """Go on with a piece of text. `reached` is how far any story goes along with it."""
        found, stack = [], [(piece, moment) for moment in self.moments]
        self.seen = {}
        while stack:
            text, (rest, todo, facts, log_prob, mistakes) = stack.pop()
            while True:  # what can go on in one way only
                if rest:
                    n = min(len(rest), len(text))
                    if rest[:n] != text[:n]:
                        break
                    rest, text = rest[n:], text[n:]
                    self.reached = max(self.reached, self.at + len(piece) - len(text))
                if not text:
                    found.append(Moment(rest, todo, facts, log_prob, mistakes))
                    break
                if todo is None:
                    break
                node, todo = todo
                if type(node) is Choice or type(node) is Name:
                    at = self.at + len(piece) - len(text)
                    for option, share, mistake in self.branches(node, facts, text):
                        after = self.take(node, option, todo, facts)
                        wrong = (*mistakes, (mistake, at)) if mistake else mistakes
                        stack.append((text, Moment(*after, log_prob + math.log(share), wrong)))
                    break
                rest, todo, facts = self.world.take(node, node, todo, facts)
        self.moments, self.at = found, self.at + len(piece)
        return self

    def branches(self, node: Node, facts: Facts, text: str) -> list[tuple]:
        """The options that begin like the text, each with its probability and its mistake."""
        phrase = self.world.phrase(node, facts) if type(node) is Name else node
        if phrase is None:
            options = self.world.options(node, facts)
            likely = [o for o in options if agree(text, self.world.words(node, o))]
            return [(option, 1 / len(options), "") for option in likely]
        if phrase.guarded:
            return likely_options(self.world.options(phrase, facts), text)
        place = id(phrase), len(text)  # many plots begin with the same choice
        if place not in self.seen:
            self.seen[place] = likely_options(phrase.options, text)
        return self.seen[place]

    def take(self, node: Node, option, todo: Todo, facts: Facts) -> tuple[str, Todo, Facts]:
        return self.world.take(node, option, todo, facts)


def likely_options(options: Sequence[tuple[Node, ...]], text: str) -> list[tuple]:
    """Those that may be the beginning of a text, each with its probability and no mistake."""
    likely = [option for option in options if begins(text, option)]
    times = Counter(likely).items() if len(likely) > 1 else zip(likely, (1,), strict=False)
    return [(option, n / len(options), "") for option, n in times]


def agree(text: str, words: str) -> bool:
    """Whether one of them is the beginning of the other."""
    return text.startswith(words) or words.startswith(text)


def begins(text: str, option: tuple[Node, ...]) -> bool:
    """Whether an option may be the beginning of a text, as far as its own begin shows."""
    return not option or type(option[0]) is not str or agree(text, option[0])


def log_sum_exp(values: Sequence[float]) -> float:
    """The logarithm of a sum of numbers whose logarithms are given."""
    top = max(values, default=-math.inf)
    return top + math.log(sum(math.exp(v - top) for v in values)) if top > -math.inf else top


def story_log_prob(text: str, split: str = "train") -> float:
    """The exact log-probability of a whole story, in nats; minus infinity if it is none."""
    return Reader(world(split)).read(text + END).log_prob


def tellings(world: World, todo: Todo, facts: Facts) -> Iterator[str]:
    """All texts that may be told from here on."""
    if todo is None:
        yield ""
        return
    node, todo = todo
    for option in dict.fromkeys(world.options(node, facts)):
        words, rest, after = world.take(node, option, todo, facts)
        yield from (words + tail for tail in tellings(world, rest, after))


def causes(facts: Facts) -> list[str]:
    """All ways to say why the last episode ended as it did."""
    return [*tellings(world("any"), (Name("why"), None), facts)]
