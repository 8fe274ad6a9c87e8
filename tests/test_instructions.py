"""Instructions made from the Tales, against readings of the text by the world's grammar."""

import json
import re
from collections import Counter
from itertools import product

import pytest

from shared.world import (
    EXACT,
    KINDS,
    WORLD,
    Instruction,
    instructions,
    judge,
    read_instructions,
    stories,
)
from shared.world.quality import plain_articles, readings
from tests.test_tales import all_stories

MADE = instructions(1500, seed=3) + instructions(500, seed=3, split="held_out")
OPENING = ("opening",)


def of(kind):
    return [made for made in MADE if made.kind == kind]


def said(text, parts=OPENING):
    """What a part of a story says, by the grammar's own reading."""
    found = [*readings(plain_articles(text), parts)]
    assert found, text
    return found[0][0]


def test_the_same_for_the_same_seed_and_others_for_another():
    assert instructions(50, seed=3) == MADE[:50]
    assert not {m.output for m in instructions(50, seed=4) if m.kind == "tell"} & {
        m.output for m in MADE
    }


def test_every_kind_and_every_wording_occurs():
    """Each kind about equally often: within five standard deviations."""
    counts, n = Counter(made.kind for made in MADE), len(MADE)
    deviation = (n * 0.1 * 0.9) ** 0.5
    assert counts.keys() == KINDS.keys()
    assert all(abs(count - n / 10) < 5 * deviation for count in counts.values()), counts
    for kind, rules in KINDS.items():
        patterns = [re.sub(r"\\{\w+\\}", r"\\w+", re.escape(w)) for w in rules["wordings"]]
        patterns = [p.replace(r"a\ \w+", r"an?\ \w+") for p in patterns]
        for pattern in patterns:
            assert any(re.fullmatch(pattern, made.instruction) for made in of(kind)), pattern


@pytest.mark.parametrize(
    ("kind", "name", "pattern"),
    [
        ("hero", "hero", r"It is about (\w+)\."),
        ("thing", "thing", r"It is a (\w+)\."),
        ("color", "color", r"The \w+ is (\w+)\."),
        ("short", "hero", r"(\w+) has an? \w+ \w+\."),
        ("short", "color", r"\w+ has an? (\w+) \w+\."),
        ("short", "thing", r"\w+ has an? \w+ (\w+)\."),
    ],
)
def test_answers_agree_with_a_reading_of_the_opening(kind, name, pattern):
    for made in of(kind):
        answer = re.fullmatch(pattern, made.output)[1]
        assert said(made.input)[name] == {answer.lower()}, made


def test_the_friend_stands_in_the_input_and_is_the_only_one():
    for made in of("friend"):
        other = re.fullmatch(r"It is (?:the )?(\w+)\.", made.output)[1]
        assert re.search(rf"\b{other}\b", made.input) and other != made.facts["hero"]
        company = set(WORLD["girls"] + WORLD["boys"] + WORLD["helper"]) - {made.facts["hero"]}
        assert {word for word in company if re.search(rf"\b{word}\b", made.input)} == {other}


def test_the_outcome_is_that_of_the_ending():
    seen = set()
    for made in of("outcome"):
        answer, well, hero = re.fullmatch(r"(\w+), it ends (\w+) for (\w+)\.", made.output).groups()
        happy = any(re.search(rf"\b{word}\b", made.input) for word in WORLD["glad"])
        assert (answer, well) == (("Yes", "well") if happy else ("No", "badly")), made
        assert hero in made.input
        seen.add(answer)
    assert seen == {"Yes", "No"}


@pytest.mark.parametrize(("kind", "name"), [("paint", "color"), ("swap", "thing")])
def test_one_word_is_exchanged_and_nothing_else(kind, name):
    for made in of(kind):
        found = re.fullmatch(r"(?P<hero>\w+) has an? (?P<color>\w+) (?P<thing>\w+)\.", made.output)
        before, after = said(made.input), found.groupdict()
        assert {after.pop(name)} == {made.facts[f"new_{name}"]} != before[name]
        assert all(before[key] == {value.lower()} for key, value in after.items()), made
        assert made.facts[f"new_{name}"] in made.instruction
    assert any(" an orange" in made.output for made in of("paint"))


def test_free_answers_are_what_was_asked_for():
    for made in of("begin"):
        found = said(made.output)
        assert all(found[n] == {made.facts[n].lower()} for n in ("hero", "thing", "color"))
    for made in of("tell"):
        assert all(judge(made.output).values()), made.output
        assert f"{made.facts['hero']} and a" in made.instruction and not made.input


def test_articles_everywhere():
    texts = [part for m in MADE for part in (m.instruction, m.input, m.output)]
    assert not [t for t in texts if re.search(r"\b[Aa] [aeiou]|\b[Aa]n (?!hour)[^aeiou]", t)]
    assert any(" an orange" in m.instruction for m in MADE)


def pairs(of):
    return {(story.facts["hero"], story.facts["thing"]) for story in of}


def test_held_out_pairs_of_hero_and_thing_never_meet_in_training():
    train, held_out = pairs(MADE[:1500]), pairs(MADE[1500:])
    assert not train & held_out
    assert not pairs(stories(3000)) & held_out
    assert len(held_out) > 25


def test_no_answer_brings_a_held_out_pair_together_in_training():
    names = WORLD["girls"] + WORLD["boys"]
    held_out = {*product(names, WORLD["thing"])} - pairs(stories(4000))
    assert len(held_out) == 32
    for split, made in (("train", MADE[:1500]), ("held_out", MADE[1500:])):
        told = {
            (m.facts["hero"], thing)
            for m in made
            for thing in WORLD["thing"]
            if re.search(rf"(?<!silver )\b{thing}\b", f"{m.instruction} {m.input} {m.output}")
        }
        assert not told & held_out if split == "train" else told <= held_out


def test_the_corpus_could_have_told_each_story():
    """By parsing one of each split with the Teller of the corpus, which finds its derivation."""
    for held_out, made in ((False, MADE[:1500]), (True, MADE[1500:])):
        tale = next(m for m in made if m.kind == "tell")
        assert [*all_stories(held_out, text=tale.output)]
        assert not [*all_stories(not held_out, text=tale.output)]


def test_only_the_kinds_that_are_asked_for():
    assert {m.kind for m in instructions(40, kinds=("hero", "tell"))} == {"hero", "tell"}
    assert not {"begin", "tell"} & {*EXACT} and len(EXACT) == 8
    assert instructions(0) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n": -1}, "n=-1"),
        ({"n": 1, "split": "test"}, "split='test'"),
        ({"n": 1, "kinds": ("weather",)}, "weather"),
        ({"n": 1, "kinds": ()}, "at least one kind"),
    ],
)
def test_what_cannot_be_made(arguments, said):
    with pytest.raises(ValueError, match=said):
        instructions(**arguments)


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
