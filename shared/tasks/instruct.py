"""From instructions to batches, as derived in chapter 7: prompts, pairs, and targets that count.

Shapes: B rows, T tokens; inputs and targets are (B, T), one token apart.
"""

from collections.abc import Callable, Sequence

import torch

from shared.model import IGNORED
from shared.text import END_OF_TEXT, BPEEncoder
from shared.training import Batch, Feed, shuffled
from shared.world import Instruction

Style = Callable[[str, str], str]
Pair = tuple[list[int], list[int]]  # token ids of a prompt, and of the response with its end


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
