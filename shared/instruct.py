"""From a model that goes on with a text to one that answers, as derived in chapter 7.

Shapes: B rows, T tokens; inputs and targets are (B, T), one token apart.
"""

from collections.abc import Callable, Sequence

import torch

from shared.feed import Batch, Feed, shuffled
from shared.generate import generate
from shared.gpt import GPT, IGNORED
from shared.instructions import FREE, Instruction
from shared.quality import JUDGED, PARTS, best_of, kept, tellings
from shared.tokenizer import END_OF_TEXT, BPEEncoder

Style = Callable[[str, str], str]
Pair = tuple[list[int], list[int]]  # token ids of a prompt, and of the response with its end
ASKED = ("hero", "thing", "color")


def alpaca(instruction: str, input: str = "") -> str:
    """The prompt of Stanford's Alpaca (Taori et al., 2023), and a new line for the answer."""
    if input:
        return (
            "Below is an instruction that describes a task, paired with an input that provides "
            "further context. Write a response that appropriately completes the request.\n\n"
            f"### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n"
        )
    return (
        "Below is an instruction that describes a task. Write a response that appropriately "
        f"completes the request.\n\n### Instruction:\n{instruction}\n\n### Response:\n"
    )


def phi3(instruction: str, input: str = "") -> str:
    """A prompt in the style of Microsoft's Phi-3 (Abdin et al., 2024), markers as plain text."""
    given = f"\n{input}" if input else ""
    return f"<|user|>\n{instruction}{given}\n<|assistant|>\n"


def prompt_ids(tokenizer: BPEEncoder, request: Instruction, style: Style = phi3) -> list[int]:
    """What the model reads before it answers. Raises ValueError on an empty instruction."""
    if not request.instruction.strip():
        raise ValueError(f"the instruction is empty; the input is {request.input!r:.60}")
    text = style(request.instruction, request.input)
    return [tokenizer.special_tokens[END_OF_TEXT], *tokenizer.encode_ordinary(text)]


def encode_pair(tokenizer: BPEEncoder, example: Instruction, style: Style = phi3) -> Pair:
    """Prompt and response of an example, apart, so that a mask can follow the border."""
    end = tokenizer.special_tokens[END_OF_TEXT]
    return prompt_ids(tokenizer, example, style), [*tokenizer.encode_ordinary(example.output), end]


def fits(pair: Pair, context_length: int) -> bool:
    """Whether prompt and response fit a row; the last token is only a target."""
    return len(pair[0]) + len(pair[1]) - 1 <= context_length


def collate(pairs: Sequence[Pair], end: int, mask_prompt: bool = True) -> Batch:
    """Rows padded with `end` to the longest, and their targets: padding and prompts don't count.

    The first end, that of the response, does count. Raises ValueError if no target counts.
    """
    T = max((len(prompt) + len(response) - 1 for prompt, response in pairs), default=0)
    inputs = torch.full((len(pairs), T), end)
    targets = torch.full((len(pairs), T), IGNORED)
    for (prompt, response), x, y in zip(pairs, inputs, targets, strict=True):
        ids = torch.tensor([*prompt, *response])
        x[: len(ids) - 1] = ids[:-1]
        y[: len(ids) - 1] = ids[1:]
        if mask_prompt:
            y[: len(prompt) - 1] = IGNORED
    if not (targets != IGNORED).any():
        raise ValueError(f"none of the {targets.numel()} targets of {len(pairs)} rows counts")
    return inputs, targets


def pair_feed(
    pairs: Sequence[Pair], batch_size: int, end: int, seed: int = 0, mask_prompt: bool = True
) -> Feed:
    """Batches of pairs in an order that is drawn anew for each epoch, each padded by itself."""
    numbers = torch.arange(len(pairs))
    order = shuffled(numbers, numbers, batch_size, seed)
    return lambda i: collate([pairs[j] for j in order(i)[0].tolist()], end, mask_prompt)


def mixed(often: Feed, rarely: Feed, every: int) -> Feed:
    """Every so many-th batch comes from `rarely`. Raises ValueError if that is each."""
    if every < 2:
        raise ValueError(f"every is {every}: it should be at least 2")
    return lambda i: rarely(i // every) if i % every == every - 1 else often(i - i // every)


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
