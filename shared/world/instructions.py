"""Instructions, made from the Tales or read from a file, first met in chapter 7.

`instructions.toml` holds what can be asked. Its answers follow from the facts of a story, so they
are known to be right.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from shared.world.tales import PARTS, SPLITS, Teller, articles

KINDS = tomllib.loads(Path(__file__).with_name("instructions.toml").read_text(encoding="utf-8"))
FREE = tuple(kind for kind, rules in KINDS.items() if "free" in rules)
EXACT = tuple(kind for kind in KINDS if kind not in FREE)  # with one right answer
FIELDS = ("instruction", "input", "output")


@dataclass(frozen=True)
class Instruction:
    """What to do, with what, and what a right answer is; for our own, also what is true in it."""

    instruction: str
    input: str = ""
    output: str = ""
    kind: str = ""
    facts: dict[str, str] = field(default_factory=dict)


class PartTeller(Teller):
    """Tells a story, and remembers where its six parts begin."""

    def __init__(self, random, held_out: bool):
        super().__init__(random, held_out)
        self.begins = []

    def sentences(self, name: str) -> list[str]:
        self.begins.append(len("".join(self.parts)))
        return super().sentences(name)

    def tell_parts(self) -> dict[str, str]:
        """The story's parts by name."""
        self.tell()
        text = "".join(self.parts)
        ends = [*self.begins[1:], len(text)]
        pieces = (text[a:b].strip() for a, b in zip(self.begins, ends, strict=True))
        return dict(zip(PARTS, map(articles, pieces), strict=True))


def make_instruction(kind: str, random: Random, held_out: bool) -> Instruction:
    """Tell a story and ask about it."""
    teller, rules = PartTeller(random.random, held_out), KINDS[kind]
    parts, facts = teller.tell_parts(), teller.facts
    happy = facts["outcome"] == "happy"
    facts |= {"other": teller.value("other"), "yes_or_no": "Yes" if happy else "No"}
    facts["well"] = "well" if happy else "badly"
    for name in ("color", "thing"):  # a new thing is one that the hero may have in this split
        others = [value for value in teller.options(name) if value != facts[name]]
        facts[f"new_{name}"] = random.choice(others)
    answer = rules["output"].format(**(facts | parts))  # "ending" is both
    asked = random.choice(rules["wordings"]).format(**facts)
    given = " ".join(parts[part] for part in rules["input"])
    return Instruction(articles(asked), given, articles(answer), kind, facts)


def instructions(
    n: int, seed: int = 0, split: str = "train", kinds: Sequence[str] = tuple(KINDS)
) -> list[Instruction]:
    """n instructions, the same for the same seed on every machine; no story of the corpus.

    Those of the split "held_out" are about heroes with things that "train" never brings together.
    Raises ValueError on a bad n, split or kind.
    """
    if n < 0 or split not in SPLITS or not kinds or {*kinds} - {*KINDS}:
        raise ValueError(
            f"instructions(n={n}, split={split!r}, kinds={kinds}): n >= 0, a split of {SPLITS}, "
            f"at least one kind of {tuple(KINDS)}"
        )
    random = Random(f"Instructions {split} {seed}")
    return [make_instruction(random.choice(kinds), random, split == "held_out") for _ in range(n)]


def read_instructions(path: str | Path) -> list[Instruction]:
    """The instructions in a JSON file: a list of objects, each with the three FIELDS.

    Raises ValueError that names line, entry and field of the first thing that is wrong.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        entries = json.loads(text)
    except ValueError as error:  # also text that is not UTF-8
        raise ValueError(f"{path} is no JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        kind = "an empty list" if entries == [] else f"a {type(entries).__name__}"
        raise ValueError(f"{path} holds {kind}, not a list of instructions")
    found, place = [], text.index("[") + 1
    for number, entry in enumerate(entries, start=1):
        start = re.compile(r"[\s,]*").match(text, place).end()
        line = text.count("\n", 0, start) + 1
        found.append(check_entry(f"{path}, line {line}, entry {number}", entry))
        place = json.JSONDecoder().raw_decode(text, start)[1]
    return found


def check_entry(place: str, entry) -> Instruction:
    """One entry as an Instruction. Raises ValueError that begins with its place."""
    if not isinstance(entry, dict):
        raise ValueError(f"{place}: {entry!r:.60} is no object with {FIELDS}")
    for name in FIELDS:
        if name not in entry:
            raise ValueError(f"{place}: {name} is missing")
        if not isinstance(value := entry[name], str):
            raise ValueError(f"{place}: {name} is {value!r:.60}, no text")
        if name != "input" and not value.strip():
            raise ValueError(f"{place}: {name} is empty")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{place}: {name} has half a character: {value!r:.60}")
    return Instruction(*(entry[name] for name in FIELDS))
