"""Instructions made from the Tales, against the texts of the stories and the world's judge."""

import json
import re
from collections import Counter
from itertools import pairwise, product

import pytest

from shared.world import (
    EXACT,
    FREE,
    KINDS,
    LOOK_UP,
    NAMED,
    REFUSAL,
    STATE,
    TOLD,
    WORLD,
    Instruction,
    best_reading,
    conversations,
    instructions,
    judge,
    read_instructions,
    refuses,
    stories,
)

LISTS = WORLD["lists"]
CHILDREN = LISTS["girls"] + LISTS["boys"]
MADE = instructions(1200, seed=3) + instructions(400, seed=3, split="held_out")
TALKS = conversations(400, seed=3, unknown=0.4, turns=4)
SAID = instructions(400, seed=5, kinds=TOLD)  # or not said


def of(kind):
    return [made for made in MADE if made.kind == kind]


def named(text, values):
    return {value for value in values if re.search(rf"\b{value}\b", text)}


def test_the_same_for_the_same_seed_and_others_for_another():
    assert instructions(50, seed=3) == MADE[:50]
    assert not {m.input for m in instructions(50, seed=4)} & {m.input for m in MADE}
    assert conversations(20, seed=3, unknown=0.4, turns=4) == TALKS[:20]


def test_no_story_of_the_corpus():
    corpus = {s.text for split in ("train", "validation") for s in stories(2000, split=split)}
    assert not {m.input for m in MADE} & corpus


def test_every_kind_and_every_wording_occurs():
    """Each kind about equally often: within five standard deviations."""
    counts, n = Counter(made.kind for made in MADE), len(MADE)
    deviation = (n * 0.1 * 0.9) ** 0.5
    assert counts.keys() == {*EXACT} == {*LOOK_UP, *STATE}
    assert all(abs(count - n / 10) < 5 * deviation for count in counts.values()), counts
    asked = {turn.instruction for talk in TALKS for turn in talk}
    asked |= {made.instruction for made in (*MADE, *SAID)}
    for rules in KINDS.values():
        again = [rules["again"]] if "again" in rules else []
        for wording in [*rules["wordings"], *rules.get("later", []), *again]:
            pattern = re.sub(r"\\{\w+\\}", r"\\w+", re.escape(wording))
            assert any(re.fullmatch(pattern, text) for text in asked), wording


def test_the_story_is_given_and_the_world_could_have_told_it():
    for made in MADE[::10]:
        assert judge(made.input)["right"]
    for made in instructions(30, seed=1, kinds=FREE):
        assert judge(made.output)["right"] and not made.input


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("hero", r"It is about (?P<hero>\w+)\."),
        ("friend", r"\w+ met (?P<friend>\w+)\."),
        ("thing", r"It was a (?P<thing>\w+)\."),
        ("color", r"The (?P<thing>\w+) is (?P<color>\w+)\."),
        ("who", r"It was (?P<hero>\w+) and (?P<friend>\w+)\."),
        ("holder", r"At last (?P<holder>[\w ]+) had the (?P<color>\w+) (?P<thing>\w+)\."),
        ("outcome", r"At last (?P<one>\w+) was (?:glad|sad)\."),
    ],
)
def test_answers_agree_with_a_reading_of_the_story(kind, pattern):
    for made in of(kind)[::4]:
        facts, mistakes = best_reading(made.input)
        answer = re.fullmatch(pattern, made.output)
        assert answer and not mistakes
        assert {name: facts[name] for name in answer.groupdict()} == answer.groupdict()


def test_look_ups_stand_in_the_story():
    """By its words alone: two children, one thing, one color in front of it, the first place."""
    for made in MADE:
        hero, friend = (made.facts[name] for name in ("hero", "friend"))
        assert named(made.input, CHILDREN) == {hero, friend}
        assert named(made.input, LISTS["thing"]) == {made.facts["thing"]}
        colors = set(re.findall(rf"\b(\w+) {made.facts['thing']}\b", made.input))
        assert colors & {*LISTS["color"]} == {made.facts["color"]}
        if made.kind == "where":
            first = re.search("|".join(rf"\bthe {w}\b" for w in LISTS["where"]), made.input)
            assert made.output == f"It begins at {first[0]}."


def test_where_a_child_is_now():
    seen = Counter()
    for made in of("now"):
        child, place = re.fullmatch(r"At last (\w+) was at (.+)\.", made.output).groups()
        home = re.search(r"(\w+) \w+ home, and \w+ stayed", made.input)
        last = re.findall("|".join(rf"\bthe {w}\b" for w in LISTS["where"]), made.input)[-1]
        moved = re.search(rf"left the \w+ and \w+ to {last}|{last} was [a-z ]+, so", made.input)
        assert (place == "home") == bool(home and home[1] == child), made
        assert place in ("home", last) or moved
        assert child in made.instruction
        seen[place == "home"] += 1
    assert min(seen.values()) > 10


def test_the_reason_is_the_one_that_is_told():
    """Other words for it count as right too, and all of them end a story of the world rightly."""
    told = 0
    for made in of("why"):
        head, because, cause = made.output.partition(", because ")
        assert because and head.startswith("At last ") and cause.endswith(".")
        if reason := re.search(r", because ([^.]*)\.", made.input):
            assert cause == f"{reason[1]}."
            others = [made.input.replace(reason[1], o[len(head + because) : -1]) for o in made.also]
            assert all(judge(text)["cause"] for text in others[:2]), made
            told += 1
        assert made.output not in made.also
    assert 0.4 < told / len(of("why")) < 1


def test_glad_and_well_are_the_outcome():
    for made in (*of("why"), *of("outcome")):
        good = made.facts["outcome"] == "good"
        asked = re.search(r"\b(glad|happy|sad|sorry)\b", made.instruction)
        assert made.kind != "why" or (asked[0] in ("glad", "happy")) == good
        assert made.kind != "outcome" or (" glad" in made.output) == good


# What the story does not say


def test_about_half_can_be_made_unanswerable_and_each_has_a_twin():
    half = instructions(600, seed=6, unknown=0.5)
    none, all_ = (instructions(600, seed=6, unknown=share) for share in (0.0, 1.0))
    assert not [made for made in none if made.output == REFUSAL]
    for mixed, known, missing in zip(half, none, all_, strict=True):
        assert mixed in (known, missing) and known.input == missing.input
        assert (missing.output == REFUSAL) == (missing.kind in NAMED)
        if missing.output == REFUSAL:
            a, b = known.instruction.split(), missing.instruction.split()
            assert sum(x != y for x, y in zip(a, b, strict=True)) == 1, (known, missing)
            assert not missing.also
        else:
            assert missing == known
    share = sum(made.output == REFUSAL for made in half) / 600
    assert abs(share - 0.5 * len(NAMED) / len(EXACT)) < 0.1


def test_what_only_some_stories_tell():
    seen, places = Counter(), "|".join(LISTS["where"])
    for made in SAID:
        home = re.search(r"(\w+) \w+ home, and \w+ stayed", made.input)
        where = [*dict.fromkeys(re.findall(rf"\bthe ({places})\b", made.input))]
        right = {
            "home": f"It was {home[1]}." if home else REFUSAL,
            "moved": f"They went to the {where[1]}." if len(where) == 2 else REFUSAL,
        }
        assert made.output == right[made.kind] and len(where) <= 2, made
        seen[made.kind, refuses(made.output)] += 1
    assert min(seen.values()) > 40 and len(seen) == 2 * len(TOLD)
    assert not {turn.kind for talk in TALKS for turn in talk} & {*TOLD}
    later = conversations(60, kinds=(*EXACT, *TOLD))
    assert {turn.kind for talk in later for turn in talk[1:]} >= {*TOLD}


def test_what_is_absent_is_absent():
    everything = [*CHILDREN, *LISTS["thing"], *LISTS["where"]]
    for split in ("train", "held_out"):
        for made in instructions(300, seed=7, split=split, unknown=1.0):
            missing = named(made.instruction, everything) - named(made.input, everything)
            assert len(missing) == (made.output == REFUSAL), made


# Conversations


def test_the_first_turn_brings_the_story_and_the_others_none():
    for talk in TALKS:
        assert len(talk) == 4 and bool(talk[0].input) == (talk[0].kind != "tell")
        assert not any(turn.input for turn in talk[1:])
        assert len({turn.instruction for turn in talk}) == 4
        assert not [turn for turn in talk[1:] if turn.kind in FREE]


def test_a_pronoun_has_one_owner():
    """ "it" is the thing, "she" the only girl, and what was asked before has been answered."""
    pattern, seen = re.compile(r"\b(it|he|she)\b"), Counter()
    for talk in TALKS:
        story = talk[0].input or talk[0].output
        for before, turn in pairwise(talk):
            wordings = KINDS[turn.kind]["wordings"]
            found = pattern.search(turn.instruction)
            if not found or turn.kind in ("where", "outcome"):
                continue
            assert found[0] != "it" or len(named(story, LISTS["thing"])) == 1
            if found[0] in ("he", "she"):
                sex = LISTS["girls" if found[0] == "she" else "boys"]
                (owner,) = named(story, sex)
                assert turn.kind == "why" or f"At last {owner} was" in turn.output
                assert turn.kind == "now" or owner == turn.facts["one"]
            assert before.output != REFUSAL and turn.output != REFUSAL and wordings
            seen[found[0]] += 1
    assert min(seen[word] for word in ("it", "he", "she")) > 10


def test_the_same_is_asked_about_another_only_right_after_it():
    seen = Counter()
    for talk in TALKS:
        for before, turn in pairwise(talk):
            if re.match(r"And (the|at)? ?\w+\??$", turn.instruction):
                assert before.kind == turn.kind
                key = KINDS[turn.kind]["names"]
                assert before.facts[key] != turn.facts[key], (before, turn)
                seen[turn.output == REFUSAL] += 1
    assert min(seen.values()) > 5


# Held out


def pairs(of):
    return {(story.facts["hero"], story.facts["thing"]) for story in of}


def test_nothing_brings_a_held_out_pair_together_in_training():
    held_out = {*product(CHILDREN, LISTS["thing"])} - pairs(stories(4000))
    assert len(held_out) == 32
    texts = {"train": MADE[:1200], "held_out": MADE[1200:]}
    texts["train"] = texts["train"] + instructions(500, seed=8, unknown=1.0)
    for split, made in texts.items():
        told = {
            (hero_of(m.input), thing)
            for m in made
            for thing in named(f"{m.instruction} {m.input} {m.output}", LISTS["thing"])
        }
        assert not told & held_out if split == "train" else told <= held_out


def hero_of(story):
    """Whoever the question is about: the child who is named first."""
    return next(word for word in re.findall(r"\w+", story) if word in CHILDREN)


def test_only_the_kinds_that_are_asked_for():
    assert {m.kind for m in instructions(40, kinds=("hero", "tell"))} == {"hero", "tell"}
    assert FREE == ("tell",) and len(EXACT) == 10
    assert instructions(0) == conversations(0) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n": -1}, "n=-1"),
        ({"n": 1, "split": "test"}, "split='test'"),
        ({"n": 1, "kinds": ("age",)}, "age"),
        ({"n": 1, "kinds": ()}, "at least one kind"),
        ({"n": 1, "unknown": 1.5}, "unknown=1.5"),
    ],
)
def test_what_cannot_be_made(arguments, said):
    for make in (instructions, conversations):
        with pytest.raises(ValueError, match=said):
            make(**arguments)


GOOD = {"instruction": "Name the hero.", "input": "", "output": "It is about Mia."}


def test_a_file_is_read_as_it_stands(tmp_path):
    (path := tmp_path / "some.json").write_text(
        json.dumps([GOOD, GOOD | {"input": "ä"}], ensure_ascii=False), "utf-8"
    )
    expected = Instruction("Name the hero.", "ä", "It is about Mia.")
    assert read_instructions(path)[1] == expected
    assert read_instructions(str(path))[0].input == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"instruction": "a",\n"input": "b" "output": "c"}]', "line 2"),
        ("", "no JSON: Expecting value"),
        ("{}", "holds a dict, not a list"),
        ("[]", "holds an empty list, not a list"),
        (json.dumps([GOOD, "text"]), "entry 2: 'text' is no object"),
        (
            json.dumps([GOOD, GOOD, {"instruction": "a", "input": ""}]),
            "line 1, entry 3: output is missing",
        ),
        (json.dumps([GOOD, GOOD | {"output": None}], indent=1), "line 7, entry 2: output is None"),
        (json.dumps([GOOD | {"input": "\ud800"}]), "entry 1: input has half a character"),
        (json.dumps([GOOD | {"input": 7}]), "entry 1: input is 7"),
        (json.dumps([GOOD | {"instruction": " "}]), "entry 1: instruction is empty"),
        (json.dumps([GOOD, GOOD | {"output": ""}]), "entry 2: output is empty"),
    ],
)
def test_a_malformed_file_says_where(tmp_path, text, said):
    (path := tmp_path / "bad.json").write_text(text)
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        read_instructions(path)
    assert "bad.json" in str(error.value)


def test_a_file_that_is_no_text(tmp_path):
    (path := tmp_path / "bad.json").write_bytes(b"[\xff]")
    with pytest.raises(ValueError, match=r"bad\.json is no JSON"):
        read_instructions(path)


def test_the_stories_of_one_split_are_in_no_other():
    """The same seed gives other stories, and other questions, in validation than in training."""
    told = {split: instructions(200, seed=3, split=split) for split in ("train", "validation")}
    assert told["train"] == MADE[:200]
    assert not {m.input for m in told["train"]} & {m.input for m in told["validation"]}
    asked = [[(m.kind, m.instruction) for m in made] for made in told.values()]
    assert asked[0] != asked[1]


def test_two_children_come_in_either_order():
    for made in of("who"):
        a, b = made.output.removeprefix("It was ").removesuffix(".").split(" and ")
        assert made.also == (f"It was {b} and {a}.",) and {a, b} == {
            made.facts["hero"],
            made.facts["friend"],
        }
