"""The teller, replayed: a text is told again, in all ways that the world allows.

So the same code that tells a story knows the probability of any beginning, and of any next piece
given what came before.
"""

import math
import sys
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
    """Reads a text in pieces; `moments` are all ways to tell what was read so far.

    Of all ways to tell it those with the fewest mistakes are kept, at most `most` of them; a strict
    reader finds none.
    """

    def __init__(self, world: World, most: int = sys.maxsize):
        self.world, self.most, self.at, self.reached, self.seen = world, most, 0, 0, {}
        self.moments = [Moment("", *world.start, 0.0)]

    @property
    def log_prob(self) -> float:
        """Of all stories that begin like this, in nats; minus infinity if none does."""
        return log_sum_exp([moment.log_prob for moment in self.moments])

    def read(self, piece: str) -> "Reader":
        """Go on with a piece of text. `reached` is how far any story goes along with it."""
        found, far, size, later = [], 0, len(piece), []
        stack = [(0, *moment) for moment in self.moments]
        allowed = len(self.moments[0].mistakes) if stack else 0  # all have as many
        self.seen = {}
        while stack or (later and not found and allowed < self.most):
            if not stack:  # nothing yet: each way may have a mistake more
                stack, later, allowed = later, [], allowed + 1
            at, rest, todo, facts, log_prob, mistakes = stack.pop()
            while True:  # what can go on in one way only
                if rest:
                    if piece.startswith(rest, at):
                        at, rest = at + len(rest), ""
                    elif rest.startswith(piece[at:]):
                        at, rest = size, rest[size - at :]
                    else:
                        break
                    far = max(far, at)
                if at == size:
                    found.append(Moment(rest, todo, facts, log_prob, mistakes))
                    break
                if todo is None:
                    break
                node, todo = todo
                if type(node) is str:
                    rest = node
                elif type(node) is Choice or type(node) is Name:
                    for option, share, mistake in self.branches(node, facts, piece[at:]):
                        wrong = (*mistakes, (mistake, self.at + at)) if mistake else mistakes
                        after = self.take(node, option, todo, facts)
                        ways = stack if len(wrong) <= allowed else later
                        ways.append((at, *after, log_prob + math.log(share), wrong))
                    break
                else:
                    rest, todo, facts = self.world.take(node, node, todo, facts)
        self.reached = max(self.reached, self.at + far) if far else self.reached
        self.moments, self.at = found, self.at + size
        return self

    def branches(self, node: Node, facts: Facts, text: str) -> list[tuple]:
        """The options that begin like the text, each with its probability and its mistake."""
        phrase = self.world.phrase(node, facts) if type(node) is Name else node
        if phrase is None:
            options = self.world.options(node, facts)
            likely = [o for o in options if agree(text, self.world.words(node, o))]
            return [(option, 1 / len(options), "") for option in likely]
        likely = self.likely(phrase, text)
        if not phrase.guarded:
            return [(option, n / len(phrase.options), "") for option, n in likely]
        possible = len(self.world.options(phrase, facts)) if likely else 0
        return [(o, n / possible, "") for o, n in likely if self.world.fits(o, facts)]

    def likely(self, phrase: Choice, text: str) -> list[tuple]:
        """The options that may be the beginning of a text, each with how often it stands there."""
        place = id(phrase), len(text)  # many plots begin with the same choice
        if place not in self.seen:
            pairs = zip(phrase.options, self.world.heads(phrase), strict=True)
            found = [option for option, words in pairs if begins(text, words)]
            many = Counter(found).items() if phrase.repeats else [(option, 1) for option in found]
            self.seen[place] = [*many]
        return self.seen[place]

    def take(self, node: Node, option, todo: Todo, facts: Facts) -> tuple[str, Todo, Facts]:
        return self.world.take(node, option, todo, facts)


def agree(text: str, words: str) -> bool:
    """Whether one of them is the beginning of the other."""
    return text.startswith(words) or words.startswith(text)


def begins(text: str, words: tuple[str, ...]) -> bool:
    """Whether a text begins with one of these words, or one of them, longest first, with it."""
    if text.startswith(words):
        return True
    return len(text) < len(words[0]) and any(word.startswith(text) for word in words)


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
