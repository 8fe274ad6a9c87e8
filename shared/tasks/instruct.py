"""From conversations to batches, as derived in chapter 7: templates, rows, targets that count.

Shapes: B rows, T tokens; inputs and targets are (B, T), one token apart.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from shared.model import IGNORED
from shared.text import ASSISTANT, END_OF_TEXT, END_OF_TURN, USER, BPEEncoder
from shared.training import Batch, Feed, shuffled
from shared.world import Instruction

Row = tuple[list[int], list[bool]]  # token ids, and which of them the assistant says


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
    """A prompt for Microsoft's Phi-3 (Abdin et al., 2024), up to where the answer begins."""
    given = f"\n{input}" if input else ""
    return f"<|user|>\n{instruction}{given}<|end|>\n<|assistant|>\n"


def turn_ids(tokenizer: BPEEncoder, turn: Instruction) -> list[int]:
    """What the user says, between markers, and the assistant's own marker.

    Raises ValueError on an empty instruction.
    """
    if not turn.instruction.strip():
        raise ValueError(f"the instruction is empty; the input is {turn.input!r:.60}")
    said = f"{turn.input}\n{turn.instruction}" if turn.input else turn.instruction
    special = tokenizer.special_tokens
    words = tokenizer.encode_ordinary(said)  # markers in it are plain text
    return [special[USER], *words, special[END_OF_TURN], special[ASSISTANT]]


def chat_row(tokenizer: BPEEncoder, conversation: Sequence[Instruction]) -> Row:
    """A conversation as token ids, and which of them the assistant says."""
    ids, spoken = [], []
    for turn in conversation:
        asked = turn_ids(tokenizer, turn)
        answer = [*tokenizer.encode_ordinary(turn.output), tokenizer.special_tokens[END_OF_TURN]]
        ids += asked + answer
        spoken += [False] * len(asked) + [True] * len(answer)
    return ids, spoken


def story_row(tokenizer: BPEEncoder, text: str) -> Row:
    """A story between two ends of text, as in pretraining: all of it counts."""
    end = tokenizer.special_tokens[END_OF_TEXT]
    ids = tokenizer.encode_ordinary(text)
    return [end, *ids, end], [False] + [True] * (len(ids) + 1)


def fits(row: Row, context_length: int) -> bool:
    """Whether a row fits; its last token is only a target."""
    return len(row[0]) - 1 <= context_length


def pad(rows: Sequence[Row], end: int) -> Tensor:
    """The rows' ids, filled up with `end` to equal length.  (B, T + 1)"""
    longest = max(len(ids) for ids, _ in rows)
    return torch.tensor([ids + [end] * (longest - len(ids)) for ids, _ in rows])


def collate(rows: Sequence[Row], end: int, mask_user: bool = True) -> Batch:
    """Inputs and targets; neither padding nor the user's words count.  (B, T)

    The end of each answer does count. Raises ValueError if no target counts.
    """
    ids = pad(rows, end)
    inputs, targets = ids[:, :-1], ids[:, 1:].clone()
    for (own, spoken), y in zip(rows, targets, strict=True):
        y[len(own) - 1 :] = IGNORED  # the padding, but not the end before it
        if mask_user:
            y[: len(own) - 1][~torch.tensor(spoken[1:])] = IGNORED
    if not (targets != IGNORED).any():
        raise ValueError(f"none of the {targets.numel()} targets of {len(rows)} rows counts")
    return inputs, targets


def row_feed(
    rows: Sequence[Row], batch_size: int, end: int, seed: int = 0, mask_user: bool = True
) -> Feed:
    """Batches of rows in an order that is drawn anew for each epoch, each padded by itself."""
    numbers = torch.arange(len(rows))
    order = shuffled(numbers, numbers, batch_size, seed)
    return lambda i: collate([rows[j] for j in order(i)[0].tolist()], end, mask_user)
