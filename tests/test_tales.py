"""The embedded corpus: its probabilities by enumeration and by replay, its language by rule."""

import math
import re
import time
from collections import Counter
from copy import deepcopy
from random import Random

import pytest

from shared.world import SPLITS, WORLD, Reader, World, stories, story_log_prob, tell, world
from shared.world.check import problems
from shared.world.templates import parse
from shared.world.world import END

TINY = {
    "parts": ["opening", "ending"],
    "lists": {
        "girls": ["Mia", "Zoe"],
        "boys": ["Ben"],
        "thing": ["egg", "cup"],
        "color": ["red"],
        "where": ["sea", "farm"],
    },
    "local": {"animal": ["cow", "pig"]},
    "phrases": {
        "story": ["{opening}{holder=hero} {episode} {ending}"],
        "opening": ["{hero} and {friend} had a {thing}.", "By the {where}, {hero} met {friend}."],
        "then": ["Then", "Then", "Soon"],
        "ending": ["{holder} had the {thing}.", "{?outcome=bad}{One} cried, because {why}."],
    },
    "plots": {
        "lost": {
            "one": "holder",
            "start": ["{then} {one} lost the {thing} by the {where}."],
            "good": ["{Two} found it.", "A {animal} [found|brought] it."],
            "bad": ["A {animal} ate it."],
            "lost": "the animal",
            "why": {"good": "it was {his one}", "bad": "the {animal} ate it"},
        },
        "dropped": {
            "things": ["cup"],
            "start": ["{One} fell."],
            "good": ["{Two} helped {him one}."],
            "bad": ["{Two} laughed."],
            "why": {"good": "{two} helped", "bad": "{two} laughed"},
        },
    },
}
SENTENCE = re.compile(r'(?<=[.!?])"? (?=[A-Z"])')


def everything(of: World) -> Counter:
    """All stories of a small world and their probabilities, by taking every option everywhere.

    Knows nothing of random numbers and of reading.
    """
    found, moments = Counter(), [("", *of.start, 1.0)]
    while moments:
        text, todo, facts, p = moments.pop()
        if todo is None:
            found[text.removesuffix(END)] += p
            continue
        options = of.options(todo[0], facts)
        for option in options:
            words, after, known = of.take(todo[0], option, todo[1], facts)
            moments.append((text + words, after, known, p / len(options)))
    return found


TINY_WORLD = World("any", TINY)
ALL = everything(TINY_WORLD)


def test_all_stories_of_a_tiny_world_have_probability_one_together():
    assert len(ALL) > 300
    assert math.isclose(sum(ALL.values()), 1, rel_tol=1e-12)


def test_told_probabilities_are_those_of_the_enumeration():
    random = Random(0).random
    told = [tell(TINY_WORLD, random) for _ in range(4000)]
    for story in told:
        assert math.isclose(math.exp(story.log_prob), ALL[story.text], rel_tol=1e-9), story.text
    often = Counter(story.text for story in told)
    for text, n in often.most_common(20):
        expected = 4000 * ALL[text]
        assert abs(n - expected) < 5 * expected**0.5, text


def test_replayed_probabilities_are_those_of_the_enumeration():
    for text, p in ALL.items():
        log_prob = Reader(TINY_WORLD).read(text + END).log_prob
        assert math.isclose(log_prob, math.log(p), abs_tol=1e-9), text


def test_beginnings_have_the_probability_of_all_stories_that_begin_so():
    texts = sorted(ALL)[::37]
    for text in texts:
        for cut in range(1, len(text), 3):
            expected = sum(p for other, p in ALL.items() if other.startswith(text[:cut]))
            found = math.exp(Reader(TINY_WORLD).read(text[:cut]).log_prob)
            assert math.isclose(found, expected, rel_tol=1e-9), text[:cut]


def test_reading_in_pieces_is_reading_at_once():
    random = Random(1)
    for story in stories(20):
        reader, at = Reader(world()), 0
        while at < len(story.text):
            n = random.randint(1, 9)
            reader.read(story.text[at : at + n])
            at += n
        assert math.isclose(reader.read(END).log_prob, story.log_prob, abs_tol=1e-9)


def test_the_next_character_has_probability_one_in_all():
    letters = sorted({letter for story in stories(300) for letter in story.text} | {END})
    for story in stories(4, seed=5):
        for cut in (0, 1, 40, 77, 150, len(story.text)):
            before = Reader(world()).read(story.text[:cut]).log_prob
            after = [Reader(world()).read(story.text[:cut] + c).log_prob for c in letters]
            assert math.isclose(sum(math.exp(a - before) for a in after), 1, rel_tol=1e-9)


def test_a_wrong_text_has_no_probability_and_says_how_far_it_went():
    story = stories(1)[0]
    cut = story.text.index(" ", 50)
    reader = Reader(world()).read(story.text[:cut] + " elephant")
    assert reader.log_prob == -math.inf and reader.reached in range(cut, cut + 3)
    assert story_log_prob(story.text + " More.") == -math.inf
    assert story_log_prob(story.text[:-1]) == -math.inf


@pytest.mark.parametrize("split", SPLITS)
def test_each_story_is_told_in_exactly_one_way(split):
    for story in stories(150, seed=3, split=split):
        reader = Reader(world(split)).read(story.text + END)
        assert len(reader.moments) == 1
        assert math.isclose(reader.log_prob, story.log_prob, abs_tol=1e-9)
        assert reader.moments[0].facts == story.facts


def test_every_template_of_the_tales_can_be_told_and_none_is_ambiguous():
    assert problems() == []


def test_a_template_that_is_never_told_and_one_told_twice_are_named():
    bad = deepcopy(TINY)
    bad["phrases"]["ending"].append("{?outcome=never}Nobody.")
    assert "Nobody" in " ".join(problems(bad, 400))
    bad = deepcopy(TINY)
    bad["plots"]["dropped"]["bad"].append("{Two} [laughed|sang].")
    assert "{Two} [laughed|sang]." in " ".join(problems(bad, 400))


@pytest.mark.parametrize(
    "template, message",
    [("[a|b", "without"), ("a]", "without"), ("a|b", "without"), ("x [a] [b", "without")],
)
def test_brackets_that_do_not_match(template, message):
    with pytest.raises(ValueError, match=message) as error:
        parse(template)
    assert template in str(error.value)


@pytest.mark.parametrize("name", ["{nobody}", "{her one}", "[a|{thin}]"])
def test_an_unknown_name_is_named_with_its_template(name):
    bad = deepcopy(TINY)
    bad["phrases"]["ending"].append(f"Then {name} slept.")
    with pytest.raises(ValueError, match="unknown") as error:
        World("any", bad)
    assert f"Then {name} slept." in str(error.value)


def test_the_same_seed_tells_the_same_and_another_seed_or_split_others():
    assert stories(20) == stories(20)
    asked = [(0, "train"), (1, "train"), (0, "validation"), (0, "held_out"), (0, "unread")]
    texts = [{story.text for story in stories(20, seed, split)} for seed, split in asked]
    assert sum(map(len, texts)) == len(set().union(*texts)) == 100


@pytest.mark.parametrize("n, split", [(-1, "train"), (3, "test")])
def test_bad_arguments(n, split):
    with pytest.raises(ValueError, match=rf"n={n}.*{split}"):
        stories(n, split=split)


def test_entropy_is_that_of_samples():
    """The mean of -log p over stories agrees between seeds, within its standard error."""
    halves = [[-s.log_prob for s in stories(2500, seed)] for seed in (0, 1)]
    means = [sum(half) / len(half) for half in halves]
    spread = (sum((x - means[0]) ** 2 for x in halves[0]) / 2500) ** 0.5
    assert abs(means[0] - means[1]) < 4 * spread * (2 / 2500) ** 0.5
    assert 55 < means[0] < 85


def test_held_out_pairs_occur_nowhere_else():
    pairs = {
        s: {(t.facts["hero"], t.facts["thing"]) for t in stories(2000, split=s)} for s in SPLITS
    }
    assert not pairs["held_out"] & (pairs["train"] | pairs["validation"] | pairs["unread"])
    assert len(pairs["held_out"]) == 32 and len(pairs["train"]) == 256 - 32


def test_unread_plots_end_the_stories_of_their_split_and_occur_in_no_other():
    unread = {name for name, plot in WORLD["plots"].items() if plot.get("unread")}
    assert len(unread) == 5 and len(WORLD["plots"]) - len(unread) >= 20
    for split in SPLITS:
        for story in stories(400, split=split):
            *first, last = story.facts["plots"].split()
            assert not unread & {*first} and (last in unread) == (split == "unread")


def test_outcomes_are_even():
    for split in ("train", "unread"):
        good = sum(s.facts["outcome"] == "good" for s in stories(2000, split=split))
        assert abs(good - 1000) < 4 * 500**0.5


def test_facts_are_told():
    for story in stories(300):
        for name in ("hero", "friend", "thing", "color", "where"):
            times = len(re.findall(rf"\b{story.facts[name]}\b", story.text))
            assert times >= 2 or "left" in story.facts, (name, story.text)
        girls = [story.facts[name] in WORLD["lists"]["girls"] for name in ("hero", "friend")]
        assert sorted(girls) == [False, True]


def test_who_moves_goes_somewhere_else():
    moved = [s.facts for s in stories(2000) if "left" in s.facts]
    assert len(moved) > 200
    assert {facts["where"] for facts in moved} == set(WORLD["lists"]["where"])
    assert not [facts for facts in moved if facts["where"] == facts["left"]]


def test_everything_is_echoed_within_three_sentences():
    for story in stories(300):
        beginning = " ".join(story.part(name) for name in ("opening", "meeting", "greeting"))
        for name in ("hero", "thing", "color", "where"):
            value = re.search(r"(?<=to the )\w+", beginning) if name == "where" else None
            value = value[0] if value else story.facts.get("left", story.facts["where"])
            value = value if name == "where" else story.facts[name]
            assert len(re.findall(rf"\b{value}\b", beginning)) >= 2, (name, beginning)
        assert len(re.findall(rf"\b{story.facts['friend']}\b", beginning)) >= 1


def test_parts_are_the_story_and_mentions_are_words_of_it():
    for story in stories(200):
        assert " ".join(story.text[a:b].strip() for _, a, b in story.parts) == story.text
        assert [name for name, *_ in story.parts][:3] == ["opening", "meeting", "greeting"]
        assert story.text.endswith(story.part("ending")) and story.part("none") == ""
        heroes = {story.text[a:b] for key, a, b in story.mentions if key == "hero"}
        assert story.facts["hero"] in heroes


def test_what_is_given_is_so():
    random = Random(0).random
    for _ in range(50):
        story = tell(world(), random, hero="Mia", thing="drum", color="red", where="mill")
        assert (
            story.facts["hero"] == "Mia" and "red drum" in story.text and "the mill" in story.text
        )
        other = tell(world(), random, friend="Mia")
        assert other.facts["friend"] == "Mia" and other.facts["hero"] in WORLD["lists"]["boys"]
    assert story.log_prob > -90


@pytest.mark.parametrize(
    "facts, words",
    [
        ({"hero": "Bob"}, "hero='Bob'.*Mia"),
        ({"animal": "cow"}, "animal='cow'.*hero"),
        ({"hero": "Mia", "friend": "Zoe"}, "Mia.*Zoe"),
        ({"hero": "Mia", "thing": "kite"}, "train.*kite"),
    ],
)
def test_unknown_facts(facts, words):
    with pytest.raises(ValueError, match=words):
        tell(world(), Random(0).random, **facts)


def test_the_world_is_rich():
    told = stories(25_000)
    words = {w.lower() for s in told for w in re.findall(r"[A-Za-z'-]+", s.text)}
    assert 1000 <= len(words) <= 2000
    known = {sentence for story in told for sentence in SENTENCE.split(story.text)}
    new = [x for s in stories(500, split="validation") for x in SENTENCE.split(s.text)]
    assert sum(sentence in known for sentence in new) < 0.4 * len(new)


def test_the_language_is_clean():
    for story in stories(1000):
        assert re.fullmatch(r"""["A-Z][A-Za-z ,.!?:"'-]+\.""", story.text), story.text
        assert story.text.count('"') % 2 == 0 and "  " not in story.text
        assert not re.search(r"\b[Aa] (?!one)[aeiou]", story.text), story.text


def test_speed():
    started = time.process_time()
    stories(600)
    assert time.process_time() - started < 2.5  # 0.2 on an idle machine
