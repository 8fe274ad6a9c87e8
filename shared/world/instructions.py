"""Questions and conversations about the Tales, as told in chapter 7.

`instructions.toml` holds what can be asked. The answers follow from the facts of a story, so they
are known to be right. A conversation is a tuple of instructions; only the first may have an input.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from shared.world.entries import REFUSAL, Instruction, refuses
from shared.world.facts import Facts
from shared.world.reader import causes
from shared.world.tales import SPLITS, Story, tell, world

SOURCE = tomllib.loads(Path(__file__).with_name("instructions.toml").read_text(encoding="utf-8"))
LOOK_UP, STATE, TOLD, FREE = map(tuple, (SOURCE[g] for g in ("look_up", "state", "told", "free")))
KINDS = {kind: rules for group in SOURCE.values() for kind, rules in group.items()}
EXACT = (*LOOK_UP, *STATE)  # kinds about a story that is given
NAMED = tuple(kind for kind in EXACT if "names" in KINDS[kind])
USUAL, MORE = (*EXACT, *FREE * 3), (*EXACT, *STATE)  # harder kinds more often; MORE in later turns
LISTS = {"hero": "child", "one": "child", "child": "child", "thing": "thing", "first": "where"}
Conversation = tuple[Instruction, ...]


def he(child: str) -> str:
    return "she" if child in world("any").girls else "he"


def aspects(story: Story, random: Random) -> Facts:
    """The facts of a story, and what else questions and answers speak of."""
    text, facts = story.text, story.facts
    child = random.choice((facts["hero"], facts["friend"]))
    why, good = re.search(r", because ([^.]*)\.", text), facts["outcome"] == "good"
    return facts | {
        "story": text,
        "first": facts.get("left", facts["where"]),
        "child": child,
        "other": facts["friend" if child == facts["hero"] else "hero"],
        "he_one": he(facts["one"]),
        "glad": random.choice(("glad", "happy") if good else ("sad", "sorry")),
        "mood": "glad" if good else "sad",
        "cause": why[1] if why else random.choice(causes(facts)),
    }


def absent(key: str, facts: Facts, split: str, random: Random, before) -> str:
    """A child, a thing or a place that neither occurs in the story nor was asked about before."""
    words = {*re.findall(r"\w+", facts["story"]), before.facts.get(key) if before else None}
    values = [value for value in world("any").lists[LISTS[key]] if value not in words]
    if key == "thing":  # questions bring together what stories of this split may
        values = [v for v in values if world(split).allowed(facts | {"thing": v})]
    return random.choice(values)


def answers(kind: str, facts: Facts) -> list[str]:
    """What is right to say, the usual answer first."""
    here = "at home" if facts.get("home") == facts["child"] else f"at the {facts['where']}"
    reasons = [facts["cause"], *causes(facts)] if kind == "why" else [""]
    if KINDS[kind].get("told", "hero") not in facts:
        return [REFUSAL]
    rules = KINDS[kind]
    outputs = [rules["output"], rules.get("also", rules["output"])]
    said = (o.format(**facts | {"here": here, "cause": why}) for o in outputs for why in reasons)
    return [*dict.fromkeys(said)]


def ask(
    kind: str, facts: Facts, split: str, random: Random, unknown: float = 0.0, before=None
) -> Instruction:
    """A question about a story, perhaps one that leans on the question before.

    With the probability `unknown` it is about somebody or something that does not occur.
    """
    rules, key = KINDS[kind], KINDS[kind].get("names")
    again = before is not None and before.kind == kind and "again" in rules
    if kind == "now" and again and before.facts["child"] == facts["child"]:
        facts = facts | {"child": facts["other"], "other": facts["child"]}
    missing = key is not None and random.random() < unknown
    about = facts | ({key: absent(key, facts, split, random, before)} if key else {})
    lean = before is not None and not refuses(before.output) and not missing
    wordings = rules["wordings"]
    if again and (missing or before.facts[key] != facts[key]):
        wordings = [rules["again"]]
    elif lean and "later" in rules and random.random() < 0.6:
        wordings = rules["later"]
    named = (about if missing else facts) | {"he_child": he(facts["child"])}
    words = random.choice(wordings).format(**named)
    right, *also = [REFUSAL] if missing else answers(kind, facts)
    return Instruction(words, "", right, kind, named, tuple(also))


def check_arguments(n: int, split: str, kinds: Sequence[str], unknown: float) -> None:
    if n < 0 or split not in SPLITS or not kinds or {*kinds} - {*KINDS} or not 0 <= unknown <= 1:
        raise ValueError(
            f"n={n}, split={split!r}, kinds={kinds}, unknown={unknown}: n >= 0, a split of "
            f"{SPLITS}, at least one kind of {tuple(KINDS)}, a share from 0 to 1"
        )


def instructions(
    n: int, seed: int = 0, split: str = "train", kinds: Sequence[str] = EXACT, unknown: float = 0.0
) -> list[Instruction]:
    """n instructions, each about a story of its own, the same for the same seed everywhere.

    With the probability `unknown` a question that has a name in it is about what does not occur;
    stories and wordings are the same for each `unknown`. Raises ValueError on what cannot be made.
    """
    return [talk[0] for talk in conversations(n, seed, split, kinds, unknown, turns=1)]


def conversations(
    n: int,
    seed: int = 0,
    split: str = "train",
    kinds: Sequence[str] = USUAL,
    unknown: float = 0.0,
    turns: int = 3,
) -> list[Conversation]:
    """n conversations, each about a story that is given first, or told on request.

    The first question is of one of the `kinds`, later ones of EXACT or those of TOLD among them.
    Raises ValueError as `instructions` does.
    """
    check_arguments(n, split, kinds, unknown)
    teller, random = (Random(f"{what} {split} {seed}") for what in ("Given", "Asked"))
    told = (tell(world(split), teller.random) for _ in range(n))
    return [converse(story, split, kinds, unknown, turns, random) for story in told]


def converse(
    story: Story, split: str, kinds: Sequence[str], unknown: float, turns: int, random: Random
) -> Conversation:
    """A conversation about a story."""
    facts = aspects(story, random)
    first = ask(random.choice(kinds), facts, split, random, unknown)
    more = (*MORE, *(kind for kind in kinds if kind in TOLD))
    talk = [first if first.kind in FREE else replace(first, input=story.text)]
    while len(talk) < turns:
        before = talk[-1]
        same = "again" in KINDS[before.kind] and random.random() < 0.3
        kind = before.kind if same else random.choice(more)
        example = ask(kind, facts, split, random, unknown, before)
        if example.instruction not in [earlier.instruction for earlier in talk]:
            talk.append(example)
    return tuple(talk)
