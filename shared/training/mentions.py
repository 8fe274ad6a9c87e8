"""What a model must carry through a story: names that are mentioned again, used in chapter 5.

At such a mention the world knows the exact probability of the name, given all that was said before.
What a model pays above that is what it has not learned to carry.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch.nn import functional as F

from shared.model import GPT, evaluating
from shared.text import END_OF_TEXT, BPEEncoder
from shared.training.feed import story_rows
from shared.world import Reader, Story, world

KINDS = {"where": "place", "left": "place"} | {
    name: name for name in ("thing", "color", "holder", "animal", "grown")
}
CHILDREN = ("hero", "friend", "one", "two")
PRONOUNS = ("he", "she", "his", "her", "him")
SURE = 0.99  # from here on a text leaves no choice


@dataclass(frozen=True)
class Mention:
    """A name told again: its kind, the tokens it fills, and their exact log-probability."""

    kind: str
    story: int
    tokens: tuple[int, ...]  # places in the story's ids
    log_prob: float  # in nats, given the story so far


def kind_of(key: str, word: str, story: Story) -> str | None:
    """hero, friend, thing, color, place, holder, animal or grown; None for what is not counted."""
    if word.lower() in PRONOUNS:
        return None
    if key in CHILDREN:
        return "hero" if word == story.facts["hero"] else "friend"
    return KINDS.get(key)


def token_ends(ids: Sequence[int], tokenizer: BPEEncoder) -> list[int]:
    """Behind which character each token ends; the Tales are ASCII."""
    ends = []
    for i in ids:
        ends.append((ends[-1] if ends else 0) + len(tokenizer.decode([i])))
    return ends


def second_mentions(
    stories: Sequence[Story], tokenizer: BPEEncoder, split: str = "validation"
) -> list[Mention]:
    """The names in stories that were mentioned before, with their exact probabilities."""
    found = []
    for number, story in enumerate(stories):
        ids = tokenizer.encode(story.text)
        ends, seen, at, reader = token_ends(ids, tokenizer), set(), 0, Reader(world(split))
        for key, start, stop in story.mentions:
            word = story.text[start:stop]
            kind, again = kind_of(key, word, story), word in seen
            seen.add(word)
            places = [t for t, end in enumerate(ends) if start < end and ([0, *ends][t] < stop)]
            first = [0, *ends][places[0]]
            if kind is None or not again or first < at:
                continue
            before = reader.read(story.text[at:first]).log_prob
            at = ends[places[-1]]
            after = reader.read(story.text[first:at]).log_prob
            found.append(Mention(kind, number, tuple(places), after - before))
    return found


@torch.no_grad()
def log_probs(model: GPT, tokenizer: BPEEncoder, stories: Sequence[Story]) -> torch.Tensor:
    """The model's log-probabilities of each story's next tokens.  (stories, T, V)"""
    end = tokenizer.special_tokens[END_OF_TEXT]
    told = [tokenizer.encode(story.text) for story in stories]
    inputs, _ = story_rows(told, model.config.context_length, end)
    inputs = inputs[:, : max(map(len, told)) + 1]
    with evaluating(model):
        return F.log_softmax(torch.cat([model(rows) for rows in inputs.split(16)]), dim=-1)


def carried(
    model: GPT, tokenizer: BPEEncoder, stories: Sequence[Story], mentions: Sequence[Mention]
) -> dict[str, dict[str, float]]:
    """Of each kind: how many, nats above the exact ones, and the share of names that are likeliest.

    The share counts mentions where the text leaves no choice; it is None if there is none.
    """
    told = [tokenizer.encode(story.text) for story in stories]
    predicted, found = log_probs(model, tokenizer, stories), {}
    for kind, number, tokens, exact in ((m.kind, m.story, m.tokens, m.log_prob) for m in mentions):
        rows = [(predicted[number, t], told[number][t]) for t in tokens]
        excess = exact - sum(row[token].item() for row, token in rows)
        right = all(row.argmax().item() == token for row, token in rows)
        found.setdefault(kind, []).append((excess, exact > math.log(SURE), right))
    return {
        kind: {
            "mentions": len(cases),
            "nats": fmean(excess for excess, _, _ in cases),
            "sure": sum(sure for _, sure, _ in cases),
            "right": fmean(rights)
            if (rights := [right for _, sure, right in cases if sure])
            else None,
        }
        for kind, cases in sorted(found.items(), key=lambda item: -len(item[1]))
    }
