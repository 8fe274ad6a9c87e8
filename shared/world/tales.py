"""Tales, the book's own corpus, first read in chapter 2: small stories from known probabilities.

`tales.toml` holds the sentences. A story is told from left to right. What has happened in it is
kept as facts, and each choice is made where the text first depends on it, uniformly among what
fits the facts. So a story's probability is exact, and its mean negative logarithm is the entropy:
the lowest loss that any model can reach.
"""

import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from shared.world.facts import Facts
from shared.world.templates import Name
from shared.world.world import World

WORLD = tomllib.loads(Path(__file__).with_name("tales.toml").read_text(encoding="utf-8"))
SPLITS = ("train", "validation", "held_out", "unread")


@dataclass(frozen=True)
class Story:
    """A text, what is true when it ends, and the logarithm of its probability in its split.

    `log_prob` is in nats. `mentions` and `parts` are (name, start, end) in characters.
    """

    text: str
    facts: Facts
    log_prob: float
    mentions: tuple[tuple[str, int, int], ...] = ()
    parts: tuple[tuple[str, int, int], ...] = ()

    def part(self, name: str) -> str:
        """The text of a part, the last one of that name; nothing if there is none."""
        return next((self.text[a:b] for key, a, b in reversed(self.parts) if key == name), "")


def tell(world: World, random: Callable[[], float], **facts: str) -> Story:
    """A story of a world; `random()` gives numbers in [0, 1).

    With facts (hero="Mia", thing="kite", ...) a story in which they are so; its probability is that
    among such stories. Raises ValueError on facts that the world does not know.
    """
    todo, facts = world.start[0], world.given(facts)
    pieces, mentions, starts, at, log_prob = [], [], [], 0, 0.0
    while todo:
        node, todo = todo
        options = world.options(node, facts)
        option = options[0]
        if len(options) > 1:
            option = options[int(random() * len(options))]
            log_prob += math.log(options.count(option) / len(options))
        words, todo, facts = world.take(node, option, todo, facts)
        if type(node) is Name and words:
            mentions.append((node.key, at, at + len(words)))
        elif type(node) is Name and node.key in world.parts:
            starts.append((node.key, at))
        pieces.append(words)
        at += len(words)
    ends = [start for _, start in starts[1:]] + [at]
    parts = ((name, start, end - 1) for (name, start), end in zip(starts, ends, strict=True))
    return Story("".join(pieces)[:-1], facts, log_prob, tuple(mentions), tuple(parts))


@cache
def world(split: str = "train") -> World:
    """The world of a split. Validation has that of training, and draws other random numbers."""
    return World("train" if split == "validation" else split, WORLD)


def stories(n: int, seed: int = 0, split: str = "train") -> list[Story]:
    """n stories, the same for the same seed on every machine. From another seed come others.

    Raises ValueError on a bad n or split.
    """
    if n < 0 or split not in SPLITS:
        raise ValueError(f"stories(n={n}, split={split!r}): n >= 0, and a split of {SPLITS}")
    random = Random(f"Tales {split} {seed}").random
    return [tell(world(split), random) for _ in range(n)]
