"""Answers to instructions, as derived in chapter 7: what a model says, and how right it is."""

from collections.abc import Sequence

from shared.model import GPT, generate
from shared.tasks.instruct import Style, phi3, prompt_ids
from shared.text import END_OF_TEXT, BPEEncoder
from shared.world import FREE, JUDGED, PARTS, Instruction, best_of, kept, tellings

ASKED = ("hero", "thing", "color")


def respond(
    model: GPT,
    tokenizer: BPEEncoder,
    requests: Sequence[Instruction],
    style: Style = phi3,
    n_tokens: int | None = None,
) -> list[str]:
    """The likeliest answers, each of at most n_tokens, and no longer than the context has room.

    Raises ValueError on a prompt that leaves no room for an answer.
    """
    context_length, end = model.config.context_length, tokenizer.special_tokens[END_OF_TEXT]
    prompts = [prompt_ids(tokenizer, request, style) for request in requests]
    for prompt, request in zip(prompts, requests, strict=True):
        if len(prompt) >= context_length:
            raise ValueError(
                f"the prompt has {len(prompt)} tokens, the context {context_length}: no room for "
                f"an answer to {request.instruction!r:.60}"
            )
    rooms = [context_length - len(prompt) for prompt in prompts]
    limits = [room if n_tokens is None else min(room, n_tokens) for room in rooms]
    rows = generate(model, prompts, limits, end)
    answers = (row[len(prompt) :] for row, prompt in zip(rows, prompts, strict=True))
    return [tokenizer.decode(i for i in answer if i != end) for answer in answers]


def exact_match(answers: Sequence[str], examples: Sequence[Instruction]) -> dict[str, float]:
    """The share of answers equal to the expected output, by kind. Raises ValueError if none."""
    if not examples:
        raise ValueError("there are no answers to compare")
    right = {}
    for answer, example in zip(answers, examples, strict=True):
        right.setdefault(example.kind, []).append(answer == example.output)
    return {kind: sum(found) / len(found) for kind, found in sorted(right.items())}


def rubric(answer: str, request: Instruction) -> dict[str, bool]:
    """What the world's grammar says of a free answer: whether it is one, and about what was asked.

    "consistent" is whether nobody and nothing in it changes. Raises ValueError on an instruction
    that has one right answer, or without the facts that were asked for.
    """
    if request.kind not in FREE or not {*ASKED} <= request.facts.keys():
        raise ValueError(
            f"a rubric is for {FREE} with the facts {ASKED}, not for {request.kind!r} with "
            f"{tuple(request.facts)}"
        )
    whole = request.kind == "tell"
    verdicts = (
        {
            "grammatical": True,
            "consistent": all(kept(said, name) for name in JUDGED if whole or name != "outcome"),
            **{name: said[name] == {request.facts[name].lower()} for name in ASKED},
        }
        for said in tellings(answer, PARTS if whole else PARTS[:1])
    )
    return best_of(verdicts, ("grammatical", "consistent", *ASKED))
