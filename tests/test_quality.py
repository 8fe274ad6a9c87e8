"""The judge of stories against the world that tells them, and against faults put in by hand."""

import re

import pytest

from shared.world import JUDGED, SPLITS, WORLD, judge, kept, stories, story_quality

STORY = (
    "Max got a purple ball from his uncle and took it straight to the bridge. He put the ball down "
    'somewhere and forgot where. Ruth came by. "What are you looking for?" asked Ruth. Step by '
    "step, they walked back the way Max had come. And there it was, behind an old barrel: the "
    "purple ball! Max and Ruth ate pancakes, with the purple ball between them, and felt glad."
)


@pytest.mark.parametrize("split", SPLITS)
def test_every_told_story_is_right(split):
    for story in stories(300, seed=7, split=split):
        assert all(judge(story.text).values()), story.text


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("way Max had", "way Leo had", {"hero"}),
        ("He put", "She put", {"hero"}),
        ("his uncle", "her uncle", {"hero"}),
        ("Max and Ruth ate", "Ruth and Max ate", {"hero", "friend"}),
        ("put the ball", "put the kite", {"thing"}),
        ("with the purple", "with the red", {"color"}),
        ("and Ruth ate", "and Anna ate", {"friend"}),
        ("ate pancakes", "ate pancake", {"grammatical", *JUDGED}),
        ("an old barrel", "a old barrel", {"grammatical", *JUDGED}),
        ("a purple ball from", "an purple ball from", {"grammatical", *JUDGED}),
        (" Step by", "  Step by", {"grammatical", *JUDGED}),
        ("glad.", "glad. ", {"grammatical", *JUDGED}),
        ("felt glad.", "felt", {"grammatical", *JUDGED}),
        ('Ruth came by. "What are you looking for?" asked Ruth. ', "", {"grammatical", *JUDGED}),
    ],
)
def test_a_fault_is_seen_and_nothing_else(old, new, wrong):
    assert all(judge(STORY).values()) and STORY.count(old) == 1
    assert {name for name, right in judge(STORY.replace(old, new)).items() if not right} == wrong


def test_nobody_is_his_own_friend():
    alone = {name for name, right in judge(STORY.replace("Ruth", "Max")).items() if not right}
    assert alone == {"friend"}


def test_an_outcome_that_does_not_follow():
    """Each happy story with the last sentence of a sad one; and what is told of two plots."""
    assert kept({"plot": {"kite"}, "outcome": {"sad"}}, "outcome")
    assert not kept({"plot": {"kite", "race"}, "outcome": {"sad"}}, "outcome")
    happy = [s for s in stories(400, seed=8) if s.facts["outcome"] == "happy"][:40]
    endings = [t for kind in WORLD["ending"]["sad"].values() for t in kind]
    for story in happy:
        verdicts = []
        for template in endings:
            facts = {**story.facts, "sorry": "sad", "place": story.facts["place"]}
            sad = "".join(
                facts.get(part.lower(), part) for part in re.split(r"\{(\w+)\}", template)
            )
            if "{" not in sad and not re.search(r"\b(other|he|his|him)\b", sad):
                told = story.text[: len(story.text) - len(last_part(story))]
                verdicts.append(judge(told + sad)["outcome"])
        assert not any(verdicts)


def last_part(story):
    """The ending of a told story: what is left of it behind the longest beginning of no ending."""
    from shared.world.quality import pattern, plain_articles

    text = plain_articles(story.text)
    ends = [t for kinds in WORLD["ending"].values() for kind in kinds.values() for t in kind]
    found = [m for t in ends for m in re.finditer(pattern(t).pattern + "$", text)]
    return max((m.group() for m in found), key=len)


def test_place_is_one():
    story = next(s for s in stories(500, seed=9) if s.text.count(s.facts["place"]) > 1)
    place = story.facts["place"]
    other = next(p for p in WORLD["place"] if p[0] not in "aeiou" and p != place)
    i = story.text.rindex(place)
    verdict = judge(story.text[:i] + other + story.text[i + len(place) :])
    assert {name for name, right in verdict.items() if not right} == {"place"}


def test_shares():
    faulty = STORY.replace("put the ball", "put the kite")
    shares = story_quality([STORY, faulty, "Nonsense.", STORY], known={STORY})
    assert shares["grammatical"] == 0.75 and shares["thing"] == 0.5 and shares["hero"] == 0.75
    assert shares["novel"] == 0.5 and set(shares) == {"grammatical", "novel", *JUDGED}
    with pytest.raises(ValueError, match="no stories"):
        story_quality([])
