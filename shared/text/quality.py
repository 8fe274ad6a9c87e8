"""How good a told story is, measured by the grammar of its world, used from chapter 5 on.

A story is read with the sentences of `tales.toml`, each by itself: first whether they fit at all,
then whether they fit each other.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from itertools import product

from shared.text.tales import BOY, GIRL, MARKS, PARTS, WORLD

NAMES = WORLD["girls"] + WORLD["boys"]
VALUES = {
    "hero": NAMES,
    "friend": NAMES,
    "other": [*NAMES, *(f"the {helper}" for helper in WORLD["helper"])],
    **{word: [BOY[word], GIRL[word]] for word in BOY},
    **{name: WORLD[name] for name in ("helper", "thing", "color", "place", "weather", "time")},
    **{name: WORLD[name] for name in ("relative", "glad", "sorry")},
}
JUDGED = ("hero", "thing", "color", "place", "friend", "outcome")
Part = dict[str, set[str]]  # what is said in a part of a story: its plot, its outcome, its names


def plain_articles(text: str) -> str:
    """ "a" for "an": which of them is right follows from the next word, that may be a name's."""
    return re.sub(r"\b([Aa])n (?=[aeiou])", r"\1 ", text)


@cache
def pattern(template: str) -> re.Pattern:
    """A template as a pattern: {hero} becomes a group for any name, [a|b] for a or b."""
    plain, *rest = MARKS.split(plain_articles(template))
    parts = [re.escape(plain)]
    for i, (name, choice, plain) in enumerate(zip(rest[::3], rest[1::3], rest[2::3], strict=True)):
        words = choice.split("|") if choice else VALUES[name.lower()]
        if name and not name.islower():
            words = [word[0].upper() + word[1:] for word in words]
        group = f"?P<{name.lower()}_{i}>" if name else "?:"
        parts += [f"({group}{'|'.join(map(re.escape, words))})", re.escape(plain)]
    return re.compile("".join(parts))


def templates(part: str) -> Iterator[tuple[str, str | None, str | None]]:
    """All templates of a part, each with the plot and the outcome that it belongs to."""
    plots = WORLD["plots"].items()
    if part == "opening":
        yield from ((template, None, None) for template in WORLD[part])
    elif part == "ending":
        for outcome, kinds in WORLD[part].items():
            yield from ((template, None, outcome) for kind in kinds.values() for template in kind)
    elif part in ("problem", "talk"):
        yield from ((template, name, None) for name, plot in plots for template in plot[part])
    else:
        for (name, plot), outcome in product(plots, ("happy", "sad")):
            yield from ((template, name, outcome) for template in plot[outcome][part])


def readings(text: str, parts: tuple[str, ...] = PARTS) -> Iterator[list[Part]]:
    """The ways to read a text as six parts, one template each, whatever their names are."""
    if not parts:
        if not text:
            yield []
        return
    for template, plot, outcome in templates(parts[0]):
        if match := pattern(template).match(text):
            said = {"plot": {plot} - {None}, "outcome": {outcome} - {None}}
            for group, word in match.groupdict().items():
                said.setdefault(group.rpartition("_")[0], set()).add(word.lower())
            rest = text[match.end() :]
            if rest[:1] == (" " if len(parts) > 1 else ""):
                yield from ([said, *more] for more in readings(rest[1:], parts[1:]))


def tellings(text: str, parts: tuple[str, ...] = PARTS) -> Iterator[Part]:
    """What all parts say together, in each way to read a text; none with "a" for "an"."""
    if re.search(r"\b[Aa] [aeiou]", text):
        return
    for found in readings(plain_articles(text), parts):
        yield {
            key: set().union(*(part.get(key, ()) for part in found))
            for key in (*VALUES, "plot", "outcome")
        }


def judge(text: str) -> dict[str, bool]:
    """Whether a story is grammatical, and keeps hero, thing, color, place, friend and outcome."""
    verdicts = (
        {"grammatical": True} | {name: kept(said, name) for name in JUDGED}
        for said in tellings(text)
    )
    return best_of(verdicts, ("grammatical", *JUDGED))


def best_of(verdicts: Iterable[dict[str, bool]], names: Iterable[str]) -> dict[str, bool]:
    """The verdict with the most points; if there is none, no name has one."""
    none = dict.fromkeys(names, False)
    return max(verdicts, key=lambda verdict: sum(verdict.values()), default=none)


def kept(said: Part, name: str) -> bool:
    """Whether all parts agree on a name; on the hero's pronouns too; on the outcome in one plot."""
    if name == "outcome":
        return len(said["plot"]) == len(said["outcome"]) == 1
    if name == "friend":
        company = said["friend"] | {f"the {helper}" for helper in said["helper"]} | said["other"]
        return len(company) <= 1 and not company & said["hero"]
    if name == "hero" and len(said["hero"]) == 1:
        girl = said["hero"] <= {girl.lower() for girl in WORLD["girls"]}
        return all(said[word] <= {(GIRL if girl else BOY)[word]} for word in BOY)
    return len(said[name]) <= 1


def story_quality(texts: Collection[str], known: Collection[str] = ()) -> dict[str, float]:
    """The share of stories that are right in each respect, and that are not among those `known`.

    Raises ValueError if there are no stories.
    """
    if not texts:
        raise ValueError("there are no stories to judge")
    verdicts = [judge(text) | {"novel": text not in known} for text in texts]
    return {name: sum(v[name] for v in verdicts) / len(verdicts) for name in verdicts[0]}
