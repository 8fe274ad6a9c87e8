"""How good a told story is, judged by the teller replayed, used from chapter 5 on.

A story is right if the world could have told it. If it is not, a forgiving reader tells it again
and allows what contradicts the facts, noting each mistake, to say in which respects it is right.
"""

import sys
from collections.abc import Collection
from functools import cache

from shared.world.facts import Facts, holds, known
from shared.world.reader import Moment, Reader, agree
from shared.world.tales import world
from shared.world.templates import Choice, Guard, Name, Node
from shared.world.world import END, World

JUDGED = ("hero", "friend", "thing", "color", "place", "whereabouts", "holder", "outcome", "cause")
CAST = ("animal", "grown", "loud")  # who may have the thing in the end, besides the children
TAKEN_ALONG = 6  # mistakes; after more of them a story counts as no story


class ForgivingReader(Reader):
    """Also reads stories that contradict themselves; each moment knows their mistakes."""

    def branches(self, node: Node, facts: Facts, text: str) -> list[tuple]:
        phrase = self.world.phrase(node, facts) if type(node) is Name else node
        if type(node) is Name and node.key == "why":
            return self.causes(node, facts, text)
        if type(phrase) is Choice:
            likely = self.likely(phrase, text)
            return [(option, 1.0, self.broken(option, facts)) for option, _ in likely]
        right = known(node.key, facts)
        if right is None:
            found, left = super().branches(node, facts, text), facts.get("left")
            if node.key == "where" and left and agree(text, left):  # they go where they are
                found.append((left, 1.0, "whereabouts"))
            return found
        words, mistake = self.world.words(node, right), role(node.key, facts)
        others = [w for w in self.others(node) if agree(text, w) and w != words]
        found = [(words, 1.0, "")] if agree(text, words) else []
        return found + [(other, 1.0, mistake) for other in others]

    def causes(self, node: Name, facts: Facts, text: str) -> list[tuple]:
        """The reasons of all plots and outcomes; only one of them is right."""
        found = []
        for key, phrase in (self.world.capitals if node.capital else self.world.phrases).items():
            if key.startswith("why "):
                _, plot, outcome = key.split()
                wrong = "" if outcome == facts["outcome"] else "outcome"
                wrong = wrong if plot == facts["plot"] else "cause"
                found += [(option, 1.0, wrong) for option, _ in self.likely(phrase, text)]
        return found

    def broken(self, option: tuple[Node, ...], facts: Facts) -> str:
        """What the first guard is about that forbids an option."""
        guards = (node for node in option if type(node) is Guard)
        return next((guard.key for guard in guards if not holds(guard, facts)), "")

    def others(self, node: Name) -> list[str]:
        """All words that may stand where a fact is told, right or wrong."""
        if node not in self.seen:
            lists = self.world.lists
            values = self.world.may_be("where" if node.key == "left" else node.key)
            if node.key == "holder":
                cast = [f"the {value}" for key in CAST for value in lists[key]]
                values = [*lists["child"], *cast, "the child", "nobody"]
            self.seen[node] = [*dict.fromkeys(self.world.words(node, v) for v in values)]
        return self.seen[node]

    def take(self, node: Node, option, todo, facts: Facts):
        if type(node) is Name and type(option) is str and known(node.key, facts) is not None:
            return option, todo, facts  # words, right or wrong; the facts stay
        return super().take(node, option, todo, facts)


def role(key: str, facts: Facts) -> str:
    """In which respect a story is wrong that tells a fact wrongly."""
    if key in ("one", "two"):
        return "hero" if known(key, facts) == facts["hero"] else "friend"
    if key in ("where", "left"):
        return "whereabouts" if "left" in facts else "place"
    return key


@cache
def any_world() -> World:
    return world("any")


def fewest_mistakes(text: str, most: int = sys.maxsize) -> Moment | None:
    """Of all ways to tell a beginning, one with the fewest mistakes; None if there is none."""
    ways = Reader(any_world()).read(text).moments
    ways = ways or ForgivingReader(any_world(), most).read(text).moments
    return ways[0] if ways else None


def best_reading(text: str) -> tuple[Facts, tuple[tuple[str, int], ...]] | None:
    """The facts of a told story and its mistakes, at which characters; None if it is no story.

    Of all ways to read it, the one with the fewest mistakes counts.
    """
    best = fewest_mistakes(text + END, TAKEN_ALONG)
    return best and (best.facts, best.mistakes)


def mistakes(text: str) -> list[tuple[str, int]] | None:
    """What is wrong in a story, and at which characters; None if it is no story at all."""
    found = best_reading(text)
    return None if found is None else [*found[1]]


def judge(text: str) -> dict[str, bool]:
    """Whether a story is right, is grammatical, and is right in each of the respects JUDGED.

    "right": the world could have told it. "grammatical": it could, but for facts that change.
    """
    found = mistakes(text)
    if found is None:
        return dict.fromkeys(("right", "grammatical", *JUDGED), False)
    wrong = {name for name, _ in found}
    return {"right": not found, "grammatical": True} | {name: name not in wrong for name in JUDGED}


def story_quality(texts: Collection[str], known: Collection[str] = ()) -> dict[str, float]:
    """The share of stories that are right in each respect, and that are not among those `known`.

    Raises ValueError if there are no stories.
    """
    if not texts:
        raise ValueError("there are no stories to judge")
    verdicts = [judge(text) | {"novel": text not in known} for text in texts]
    return {name: sum(v[name] for v in verdicts) / len(verdicts) for name in verdicts[0]}
