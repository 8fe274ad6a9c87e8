"""Answers in a conversation, as derived in chapter 7: what a model says, and how right it is."""

from collections.abc import Sequence

import torch

from shared.model import GPT, GREEDY, Decoding, generate
from shared.tasks.instruct import chat_row, turn_ids
from shared.text import END_OF_TURN, BPEEncoder
from shared.world import Conversation, Instruction, best_reading

ASKED = ("hero", "thing", "color")


def prompt_ids(tokenizer: BPEEncoder, conversation: Conversation) -> list[int]:
    """What the model reads before it answers the last turn: all that was said before, and it."""
    *before, last = conversation
    return chat_row(tokenizer, before)[0] + turn_ids(tokenizer, last)


def respond(
    model: GPT,
    tokenizer: BPEEncoder,
    talks: Sequence[Conversation],
    decoding: Decoding = GREEDY,
    generator: torch.Generator | None = None,
    n_tokens: int | None = None,
) -> list[str]:
    """What the model says in the last turn of each conversation, in at most n_tokens.

    Raises ValueError on a conversation that leaves no room for an answer.
    """
    room, end = model.config.context_length, tokenizer.special_tokens[END_OF_TURN]
    prompts = [prompt_ids(tokenizer, talk) for talk in talks]
    for prompt, talk in zip(prompts, talks, strict=True):
        if len(prompt) >= room:
            raise ValueError(
                f"the prompt has {len(prompt)} tokens, the context {room}: no room for "
                f"an answer to {talk[-1].instruction!r:.60}"
            )
    limits = [min(room - len(prompt), n_tokens or room) for prompt in prompts]
    rows = generate(model, prompts, limits, end, decoding, generator)
    answers = (row[len(prompt) :] for row, prompt in zip(rows, prompts, strict=True))
    return [tokenizer.decode(i for i in answer if i != end) for answer in answers]


def is_right(answer: str, example: Instruction) -> bool:
    """Whether it is the answer that was expected, or another one that is as right."""
    return answer in (example.output, *example.also)


def exact_match(answers: Sequence[str], examples: Sequence[Instruction]) -> float:
    """The share of answers that are right, character by character. Raises ValueError if none."""
    if not examples:
        raise ValueError("there are no answers to compare")
    right = [is_right(a, e) for a, e in zip(answers, examples, strict=True)]
    return sum(right) / len(right)


def rubric(answer: str, request: Instruction) -> dict[str, bool]:
    """Whether an answer to `tell` is a story, whether it is right, and about what was asked.

    Raises ValueError on a request without the facts that were asked for.
    """
    if not {*ASKED} <= request.facts.keys():
        raise ValueError(f"a rubric needs the facts {ASKED}, not {tuple(request.facts)}")
    found = best_reading(answer)
    facts, wrong = found or ({}, True)
    points = {"grammatical": found is not None, "right": not wrong}
    return points | {name: facts.get(name) == request.facts[name] for name in ASKED}
