"""The embedded corpus: its probabilities by enumeration and by parsing, its language by rule."""

import math
import re
import time
from collections import Counter

import pytest

from shared.world import SPLITS, WORLD, Teller, stories

TINY = {
    "girls": ["Mia"],
    "boys": ["Ben", "Leo"],
    "thing": ["egg", "cup"],
    "place": ["sea", "farm"],
    "story": ["{opening} {problem} {talk} {turn} {result} {ending}"],
    "opening": ["{hero} had a {thing}.", "By the {place}, {hero} had a [new|small] {thing}."],
    "plots": {
        "lost": {
            "problem": ["{He} lost the {thing} by the {place}.", "By the {place} {he} lost it."],
            "talk": ["{friend} came."],
            "happy": {"turn": ["{He} looked."], "result": ["Found!"]},
            "sad": {"turn": ["{He} slept.", "{He} sat."], "result": ["Gone."]},
        },
        "dropped": {
            "things": ["cup"],
            "places": ["farm"],
            "problem": ["It fell by the {place}."],
            "talk": ["{friend} came.", "Then {friend} came."],
            "happy": {"turn": ["They mended it."], "result": ["Good."]},
            "sad": {"turn": ["They ran."], "result": ["Bad."]},
        },
    },
    "ending": {
        "happy": {"song": ["{other} sang."], "hug": ["{hero} hugged {other}."]},
        "sad": {"rain": ["It rained."], "sigh": ["{hero} sighed.", "{other} sighed."]},
    },
}


class Unfinished(Exception):
    """The script ends before the story; the next choice has `options`."""


class Scripted(Teller):
    """Tells the story whose choices a script lists, while it agrees with a text."""

    def __init__(self, script, held_out=False, world=WORLD, text=None):
        super().__init__(None, held_out, world)
        self.script, self.text, self.options_met = list(script), text, []

    def choose(self, options):
        if len(self.options_met) == len(self.script):
            raise Unfinished(len(options))
        self.options_met.append(len(options))
        return options[self.script[len(self.options_met) - 1]]

    def write(self, part):
        super().write(part)
        if self.text is not None:
            told = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", "".join(self.parts))
            if not self.text.startswith(re.sub(r"\b[Aa] $", "", told)):
                raise StopIteration


def all_stories(held_out=False, world=WORLD, text=None):
    """Every derivation, or every one of a text: (text, probability)."""
    open_scripts = [()]
    while open_scripts:
        teller = Scripted(script := open_scripts.pop(), held_out, world, text)
        try:
            told = teller.tell()
        except Unfinished as more:
            open_scripts += [(*script, i) for i in range(more.args[0])]
        except StopIteration:
            continue
        else:
            if text in (None, told.text):
                yield told.text, 1 / math.prod(teller.options_met)


def test_a_tiny_world_is_enumerated():
    derivations = list(all_stories(world=TINY))
    texts = dict(derivations)
    assert len(texts) == len(derivations) > 20, "two ways to tell the same story"
    assert sum(texts.values()) == pytest.approx(1)


def test_entropy_by_enumeration_and_by_sampling():
    from random import Random

    entropy = sum(-p * math.log(p) for _, p in all_stories(world=TINY))
    random = Random("entropy").random
    surprise = [-Teller(random, False, TINY).tell().log_prob for _ in range(20_000)]
    mean = sum(surprise) / len(surprise)
    variance = sum((s - mean) ** 2 for s in surprise) / len(surprise)
    assert abs(mean - entropy) < 4 * (variance / len(surprise)) ** 0.5
    assert variance > 0.01


@pytest.mark.parametrize("split", SPLITS)
def test_a_story_can_be_told_in_one_way_whose_probability_is_stated(split):
    for story in stories(60, seed=5, split=split):
        derivations = list(all_stories(split == "held_out", text=story.text))
        assert len(derivations) == 1
        assert math.log(derivations[0][1]) == pytest.approx(story.log_prob, abs=1e-9)


def test_frequencies_agree_with_the_probabilities():
    """The first sentence alone: its entropy from counts, and from choices of known size."""
    first = Counter(s.facts["hero"] + "+" + s.facts["thing"] for s in stories(20_000, seed=6))
    assert len(first) == 16 * 14
    expected = 20_000 / len(first)
    chi_squared = sum((count - expected) ** 2 / expected for count in first.values())
    assert chi_squared < len(first) - 1 + 5 * (2 * (len(first) - 1)) ** 0.5
    outcomes = Counter(s.facts["outcome"] for s in stories(20_000, seed=6))
    assert abs(outcomes["happy"] - 10_000) < 5 * 20_000**0.5 / 2


def test_the_same_seed_tells_the_same_stories_and_another_seed_or_split_others():
    assert stories(50, seed=3) == stories(100, seed=3)[:50]
    texts = [s.text for split in SPLITS for seed in (0, 1) for s in stories(4000, seed, split)]
    assert len(set(texts)) == len(texts)
    assert not set(texts) & {s.text for s in stories(20_000, seed=2)}


def test_twenty_thousand_in_time():
    start = time.perf_counter()
    assert len({s.text for s in stories(20_000)}) == 20_000
    assert time.perf_counter() - start < 5


def pairs(told):
    facts = [s.facts for s in told]
    return {(f["hero"], f["thing"]) for f in facts}, {(f["plot"], f["ending"]) for f in facts}


def test_held_out_pairs_never_occur_in_training():
    trained, held_out = pairs(stories(20_000)), pairs(stories(4000, split="held_out"))
    assert not trained[0] & held_out[0]
    assert not trained[1] & held_out[1]
    assert len(held_out[0]) == 16 * 2
    assert len(held_out[1]) == len(WORLD["plots"]) * 2
    assert pairs(stories(20_000, split="validation")) == trained


def test_facts_are_told():
    for story in stories(2000, seed=7) + stories(500, seed=7, split="held_out"):
        facts, text = story.facts, story.text
        assert text.count(facts["hero"]) >= 2
        plot = WORLD["plots"][facts["plot"]]
        assert facts["thing"] in plot.get("things", WORLD["thing"])
        assert facts["place"] in plot.get("places", WORLD["place"])
        assert f"{facts['color']} {facts['thing']}" in text
        assert facts["place"] in text
        assert text.count(f"{facts['color']} {facts['thing']}") >= 2
        other = facts.get("friend") or facts["helper"]
        assert other in text
        assert ("friend" in facts) != ("helper" in facts)
        assert facts["hero"] != facts.get("friend")
        names = {*WORLD["girls"], *WORLD["boys"]} - {facts["hero"], facts.get("friend")}
        assert not names & set(re.findall(r"\w+", text))
        things = re.findall(rf"(\w+) {facts['thing']}\b", text)
        assert not ({*WORLD["color"]} - {facts["color"]}) & {*things}
        feelings = WORLD["glad"] if facts["outcome"] == "happy" else WORLD["sorry"]
        assert any(word in text for word in feelings)


def test_language():
    """Articles, pronouns, quotes, sentence starts: what a typesetter would look for."""
    for story in stories(4000, seed=8) + stories(1000, seed=8, split="held_out"):
        text = story.text
        assert re.fullmatch(r"[A-Za-z ,.;:!?'\"-]+", text), text
        assert not re.search(
            r"\b[Aa] [aeiou]|\b[Aa]n (?!hour)[^aeiou]|  | [,.;:!?]|[{}\[\]|]", text
        ), text
        assert text.count('"') % 2 == 0, text
        assert re.search(r"[.!?]\"?$", text), text
        unquoted = re.sub(r'"[^"]*"', "", text)
        assert not re.search(r"\. [a-z]", unquoted), text
        words = {*re.findall(r"[a-z]+", unquoted.lower())}
        girl = story.facts["hero"] in WORLD["girls"]
        assert not words & ({"he", "him"} if girl else {"she", "her", "herself"}), text


def test_size_of_the_world():
    told = stories(20_000)
    words = {word for s in told for word in re.findall(r"[A-Za-z']+", s.text)}
    assert 850 <= len(words) <= 1100, len(words)
    sentences = [len(re.findall(r"[.!?]", s.text)) for s in told]
    assert sorted(sentences)[100] >= 5 and sorted(sentences)[-100] <= 16
    entropy = -sum(s.log_prob for s in told) / len(told)
    assert 20 < entropy < 35


@pytest.mark.parametrize("arguments", [(-1,), (5, 0, "test"), (5, 0, "Train")])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=str(arguments[-1])):
        stories(*arguments)


def test_no_stories():
    assert stories(0) == []
