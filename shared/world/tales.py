"""Tales, the book's own corpus, first read in chapter 2: small stories from known probabilities.

`tales.toml` holds the sentences. A story is told from left to right. What has happened in it is
kept as facts, and each choice is made where the text first depends on it, uniformly among what
fits the facts. So a story's probability is exact, and its mean negative logarithm is the entropy:
the lowest loss that any model can reach.
"""

import math
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from shared.world.templates import (
    Choice,
    Fact,
    Guard,
    Name,
    Node,
    capitalized,
    choice,
    episode,
    one_of,
)

WORLD = tomllib.loads(Path(__file__).with_name("tales.toml").read_text(encoding="utf-8"))
SPLITS = ("train", "validation", "held_out", "unread")
PRONOUNS = {"he": "she", "his": "her", "him": "her", "boy": "girl"}
END = "\0"  # what comes after the last sentence
Facts = dict[str, str]
Todo = tuple | None  # what is still to be told: (node, (node, ... None))


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


class World:
    """All stories of a split: how they begin, and what may come next at any moment.

    "held_out" tells of heroes with things that "train" never brings together, "unread" ends with a
    kind of episode that no other split has, "any" allows everything.
    """

    def __init__(self, split: str = "train", source: dict = WORLD):
        self.split, lists, plots = split, source["lists"], source["plots"]
        self.lists = lists | source["local"] | {"child": lists["girls"] + lists["boys"]}
        self.girls, self.local = {*lists["girls"]}, {*source["local"], "one"}
        self.parts = {*source["parts"]}
        self.phrases = {name: one_of(options) for name, options in source["phrases"].items()}
        episodes = {name: episode(name, plot) for name, plot in plots.items()}
        unread = [name for name in plots if plots[name].get("unread")]
        read = [name for name in plots if split == "any" or name not in unread]
        self.phrases["episode"] = choice(episodes[name] for name in read)
        if split == "unread":
            self.phrases["last"] = choice(episodes[name] for name in unread)
            self.phrases |= {name: one_of(options) for name, options in source["unread"].items()}
        for name, plot in plots.items():
            for outcome, template in plot["why"].items():
                self.phrases[f"why {name} {outcome}"] = one_of([template])
        self.capitals = {
            name: choice(map(capitalized, phrase.options)) for name, phrase in self.phrases.items()
        }
        self.start = ((Name("story"), (END, None)), {"plots": " "})

    def options(self, node: Node, facts: Facts) -> Sequence:
        """What a node may become, each as probable as the others: nodes, or words for a fact."""
        if type(node) is Choice:
            if not node.guarded:
                return node.options
            return [option for option in node.options if self.fits(option, facts)]
        if type(node) is Name:
            if phrase := self.phrase(node, facts):
                return self.options(phrase, facts)
            value = known(node.key, facts)
            return self.values(node.key, facts) if value is None else (value,)
        return (node,)

    def take(self, node: Node, option, todo: Todo, facts: Facts) -> tuple[str, Todo, Facts]:
        """What an option says at once, what is to be told after it, and the facts from then on."""
        if type(option) is tuple:
            for part in reversed(option):
                todo = (part, todo)
            return "", todo, facts
        if type(node) is Name:
            if known(node.key, facts) is None:
                facts = facts | drawn(node.key, option, facts)
            return self.words(node, option), todo, facts
        if type(node) is Fact:
            return "", todo, self.changed(node, facts)
        return node if type(node) is str else "", todo, facts

    def phrase(self, node: Name, facts: Facts) -> Choice | None:
        key = f"why {facts['plot']} {facts['outcome']}" if node.key == "why" else node.key
        return (self.capitals if node.capital else self.phrases).get(key)

    def fits(self, option: tuple[Node, ...], facts: Facts) -> bool:
        return all(holds(node, facts) for node in option if type(node) is Guard)

    def changed(self, fact: Fact, facts: Facts) -> Facts:
        """The facts after one was set; a new plot forgets what belonged to the last."""
        if fact.key == "plot":
            facts = {key: value for key, value in facts.items() if key not in self.local}
            return facts | {"plot": fact.value, "plots": f"{facts['plots']}{fact.value} "}
        if not fact.value:
            return {key: value for key, value in facts.items() if key != fact.key}
        return facts | {fact.key: " ".join(known(w, facts) or w for w in fact.value.split())}

    def words(self, node: Name, value: str) -> str:
        if node.form:
            value = PRONOUNS[node.form] if value in self.girls else node.form
        return value[0].upper() + value[1:] if node.capital else value

    def values(self, key: str, facts: Facts) -> Sequence[str]:
        """What a fact may be that is mentioned for the first time."""
        if key in ("one", "two"):
            return facts["hero"], facts["friend"]
        if key == "friend":  # a boy for a girl, so that each pronoun has one owner
            return self.lists["boys" if facts["hero"] in self.girls else "girls"]
        values = self.lists["child" if key == "hero" else key]
        if key in ("hero", "thing"):
            return [value for value in values if self.allowed(facts | {key: value})]
        return [value for value in values if value != facts.get("left")]

    def allowed(self, facts: Facts) -> bool:
        """Every eighth pair of hero and thing is held out, and only those are."""
        if self.split == "any" or not {"hero", "thing"} <= facts.keys():
            return True
        i = self.lists["child"].index(facts["hero"]) + self.lists["thing"].index(facts["thing"])
        return (i % 8 == 0) == (self.split == "held_out")

    def tell(self, random: Callable[[], float]) -> Story:
        """A story; `random()` gives numbers in [0, 1)."""
        (todo, facts), pieces, mentions, starts = self.start, [], [], []
        at, log_prob = 0, 0.0
        while todo:
            node, todo = todo
            options = self.options(node, facts)
            option = options[int(random() * len(options))] if len(options) > 1 else options[0]
            log_prob -= math.log(len(options) / (options.count(option) if len(options) > 1 else 1))
            words, todo, facts = self.take(node, option, todo, facts)
            if type(node) is Name and words:
                mentions.append((node.key, at, at + len(words)))
            elif type(node) is Name and node.key in self.parts:
                starts.append((node.key, at))
            pieces.append(words)
            at += len(words)
        ends = [start for _, start in starts[1:]] + [at]
        parts = ((name, start, end - 1) for (name, start), end in zip(starts, ends, strict=True))
        return Story("".join(pieces)[:-1], facts, log_prob, tuple(mentions), tuple(parts))


def known(key: str, facts: Facts) -> str | None:
    """The value of a fact, if there is one. {two} is the child that is not {one}."""
    if key == "two" and "one" in facts:
        return facts["friend" if facts["one"] == facts["hero"] else "hero"]
    return facts.get(key)


def drawn(key: str, value: str, facts: Facts) -> Facts:
    """A fact at its first mention; who {two} is says who {one} is."""
    if key == "two":
        return {"one": facts["friend" if value == facts["hero"] else "hero"]}
    return {key: value}


def holds(guard: Guard, facts: Facts) -> bool:
    if guard.key == "new":
        return f" {guard.values[0]} " not in facts["plots"]
    return known(guard.key, facts) in [known(value, facts) or value for value in guard.values]


@cache
def world(split: str) -> World:
    """The world of a split. Validation has the same as training, from other random numbers."""
    return World("train" if split == "validation" else split)


def stories(n: int, seed: int = 0, split: str = "train") -> list[Story]:
    """n stories, the same for the same seed on every machine. From another seed come others.

    Raises ValueError on a bad n or split.
    """
    if n < 0 or split not in SPLITS:
        raise ValueError(f"stories(n={n}, split={split!r}): n >= 0, and a split of {SPLITS}")
    random = Random(f"Tales {split} {seed}").random
    return [world(split).tell(random) for _ in range(n)]
