"""The report of a checkpoint: names told again, sentences, and the command."""

import json
import math
from types import SimpleNamespace

import pytest
import torch

from shared.model import GPT, MODEL, TOKENIZER, GPTConfig, load_tales, save_model
from shared.text import SPECIAL_TOKENS, BPETokenizer
from shared.training import mentions, report
from shared.training.mentions import carried, kind_of, second_mentions, token_ends
from shared.training.report import (
    class_cosines,
    main,
    possible_sentences,
    sentences,
    table,
    verbatim,
)
from shared.world import stories, story_log_prob

STORIES = stories(20, seed=3, split="validation")


@pytest.fixture(scope="module")
def bpe():
    return load_tales()[1]


@pytest.fixture(scope="module")
def found(bpe):
    return second_mentions(STORIES, bpe)


def test_mentions_are_names_told_before(found, bpe):
    assert len(found) > 200 and {m.kind for m in found} >= {"hero", "friend", "thing", "place"}
    for mention in found:
        story = STORIES[mention.story]
        ids = bpe.encode(story.text)
        word = bpe.decode([ids[t] for t in mention.tokens]).strip()
        before = bpe.decode(ids[: mention.tokens[0]])
        assert word.split()[-1] in before and mention.log_prob <= 1e-9
        if mention.kind in ("hero", "friend", "thing", "color"):
            assert story.facts[mention.kind] in word
    assert mentions.SURE == 0.99
    shares = [mention.log_prob > math.log(mentions.SURE) for mention in found]
    assert 0.5 < sum(shares) / len(shares) < 0.95


def test_a_mention_has_the_probability_that_is_left(found, bpe):
    """Where a name is sure, no other name can stand there; elsewhere another one can."""
    checked = 0
    for mention in (m for m in found if m.kind in ("hero", "friend")):
        story = STORIES[mention.story]
        ends = [0, *token_ends(bpe.encode(story.text), bpe)]
        start, stop = ends[mention.tokens[0]], ends[mention.tokens[-1] + 1]
        name = story.text[start:stop]
        other = {story.facts["hero"]: "friend", story.facts["friend"]: "hero"}[name.strip()]
        swapped = story.text[:start] + name.replace(name.strip(), story.facts[other])
        if mention.log_prob > -1e-9:
            assert story_log_prob(swapped + story.text[stop:]) == -math.inf
            checked += 1
    assert checked > 50


def test_pronouns_and_what_is_not_carried_have_no_kind():
    story = STORIES[0]
    assert kind_of("hero", "she", story) is None is kind_of("weather", "sunny", story)
    assert kind_of("two", story.facts["hero"], story) == "hero"
    assert kind_of("left", story.facts["where"], story) == "place"


class Sure:
    """In place of a model: gives each story's own tokens nearly all the probability, or none."""

    training, config = False, SimpleNamespace(context_length=256)

    def __init__(self, shift):
        self.shift = shift

    def eval(self):
        return self

    def train(self, mode):
        return self

    def __call__(self, ids):
        following = torch.cat([ids[:, 1:], ids[:, -1:]], dim=1)
        return 50.0 * torch.nn.functional.one_hot((following + self.shift) % 2048, 2048)


def test_what_is_carried(found, bpe):
    right, wrong = (carried(Sure(shift), bpe, STORIES, found) for shift in (0, 1))
    for kind, of in right.items():
        exact = [mention.log_prob for mention in found if mention.kind == kind]
        assert of["mentions"] == len(exact)
        assert of["nats"] == pytest.approx(sum(exact) / len(exact), abs=1e-4)
        if of["sure"]:
            assert of["right"] == 1 and wrong[kind]["right"] == 0 and wrong[kind]["nats"] > 40
        else:
            assert of["right"] is None


def test_sentences():
    text = 'Mia ran. "Where is it?" asked Ben. "There!" They sat. '
    assert sentences(text) == ["Mia ran.", '"Where is it?"', "asked Ben.", '"There!"', "They sat."]
    assert verbatim([text], {"Mia ran.", "They sat."}) == 0.4
    assert verbatim([], {"Mia ran."}) == 0


def test_possible_sentences():
    texts = [story.text for story in STORIES]
    assert possible_sentences(texts) == 1
    total = len(sentences(texts[0]))
    last = sentences(texts[0])[-1]
    assert possible_sentences([texts[0].replace(last, "And so on.")]) == 1 - 1 / total
    assert possible_sentences(["No tale begins like this. " + texts[0]]) == 0
    name = STORIES[0].facts["hero"]
    cut = texts[0].index(name, texts[0].index(".") + 1)  # the first that is no longer free
    changed = texts[0][:cut] + texts[0][cut:].replace(name, "Otto", 1)
    assert 0.5 < possible_sentences([changed]) < 1


def test_words_that_are_one_vector(bpe):
    model = GPT(GPTConfig(bpe.vocab_size, 8, 4, 1, 1), torch.Generator().manual_seed(0))
    apart = class_cosines(model, bpe)
    assert {*apart} == {"names", "things", "colors", "places"} and max(apart.values()) < 0.5
    torch.nn.init.ones_(model.wte.weight)
    assert class_cosines(model, bpe) == pytest.approx(dict.fromkeys(apart, 1.0), abs=1e-4)


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report, "READ", 60)
    texts = [story.text for story in stories(60)]
    bpe = BPETokenizer.train(texts, 700, SPECIAL_TOKENS)
    bpe.save(tmp_path / TOKENIZER)
    model = GPT(GPTConfig(700, 256, 16, 2, 1), torch.Generator().manual_seed(0))
    save_model(model, tmp_path / MODEL)
    main([str(tmp_path), "--stories", "4", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["loss"] > max(found["ngrams"]) > found["floor"] > 0.3
    assert found["above_the_floor"]["validation"] == pytest.approx(
        found["loss"] - found["floor"], abs=1e-6
    )
    assert found["quality"]["right"] == 0 and found["sampled"]["stories"] == 4
    assert found["verbatim_sentences"]["world"] < 1
    lines = table(found).splitlines()
    assert f"  floor   {found['floor']:7.3f}" in lines and len(lines) > 30
