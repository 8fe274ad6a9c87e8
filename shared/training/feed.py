"""Batches by number, used from chapter 5 on: batch i is the same whenever it is asked for.

So a run that was stopped goes on with the batch that comes next, and nothing has to be remembered
but i. Shapes: N rows, B rows in a batch, T tokens; inputs and targets are (B, T), one token apart.
"""

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from shared.model import IGNORED, check_tokens
from shared.text import END_OF_TEXT, BPEEncoder, TokenFile
from shared.world import stories

Batch = tuple[Tensor, Tensor]
Feed = Callable[[int], Batch]


def generator_of(*numbers: int) -> torch.Generator:
    """A generator for the numbers, the same for the same ones: seed, epoch, step ..."""
    seed = 0
    for number in numbers:
        seed = (seed * 1_000_003 + number + 1) % 2**63
    return torch.Generator().manual_seed(seed)


def shuffled(inputs: Tensor, targets: Tensor, batch_size: int, seed: int = 0) -> Feed:
    """Rows in an order that is drawn anew for each epoch; an epoch's incomplete batch is left out.

    Raises ValueError if the rows fill no batch, or inputs and targets are not as many.
    """
    if not 1 <= batch_size <= len(inputs) or len(inputs) != len(targets):
        raise ValueError(f"{len(inputs)} inputs, {len(targets)} targets: no batch of {batch_size}")
    per_epoch, orders = len(inputs) // batch_size, {}

    def batch(i: int) -> Batch:
        epoch, place = divmod(i, per_epoch)
        if epoch not in orders:
            orders.clear()
            orders[epoch] = torch.randperm(len(inputs), generator=generator_of(seed, epoch))
        rows = orders[epoch][place * batch_size : (place + 1) * batch_size]
        return inputs[rows], targets[rows]

    return batch


def random_windows(
    ids: Tensor | TokenFile, context_length: int, batch_size: int, seed: int = 0
) -> Feed:
    """Windows that begin anywhere in a long row of ids. Raises ValueError if it is too short."""
    if context_length < 1 or batch_size < 1 or len(ids) <= context_length:
        raise ValueError(f"{len(ids)} tokens hold no window of {context_length} and one more")

    def batch(i: int) -> Batch:
        starts = torch.randint(
            len(ids) - context_length, (batch_size,), generator=generator_of(seed, i)
        )
        rows = torch.stack([ids[s : s + context_length + 1] for s in starts.tolist()])
        return rows[:, :-1], rows[:, 1:]

    return batch


def known_ids(model: nn.Module, batch: Batch) -> Batch:
    """The batch. Raises ValueError if an id or a target is not in the vocabulary of the GPT.

    Targets on another device than the CPU are not looked at: it would have to wait.
    """
    config = getattr(getattr(model, "module", model), "config", None)  # DDP wraps its module
    if config is not None:
        check_tokens(batch[0], config)
        if batch[1].device.type == "cpu" and not batch[1].is_floating_point():
            check_tokens(batch[1][batch[1] != IGNORED], config)
    return batch


def check_divides(rows: int, world: int) -> None:
    """Raises ValueError if processes can't share a batch of so many rows evenly.

    The mean over processes would not be the mean over rows.
    """
    if rows % world:
        raise ValueError(f"a batch of {rows} rows can't be divided by {world} processes")


def part_of(feed: Feed, rank: int, world: int) -> Feed:
    """What process `rank` of `world` trains on: every world-th row of each batch."""

    def batch(i: int) -> Batch:
        inputs, targets = feed(i)
        check_divides(len(inputs), world)
        return inputs[rank::world], targets[rank::world]

    return batch


def story_rows(stories: Sequence[Sequence[int]], context_length: int, end: int) -> Batch:
    """Each story alone in a row, between two `end`s; targets behind the last one don't count.

    Raises ValueError if a story is too long for the context.
    """
    longest = max(map(len, stories), default=0)
    if not stories or longest >= context_length:
        raise ValueError(
            f"{len(stories)} stories, the longest has {longest} tokens: at least one story, and at "
            f"most {context_length - 1} tokens"
        )
    inputs = torch.full((len(stories), context_length), end)
    targets = torch.full((len(stories), context_length), IGNORED)
    for ids, x, y in zip(stories, inputs, targets, strict=True):
        x[1 : len(ids) + 1] = torch.tensor(ids)
        y[: len(ids) + 1] = torch.tensor([*ids, end])
    return inputs, targets


def rows_and_floor(
    tokenizer: BPEEncoder, context_length: int, split: str = "validation", n: int = 300
) -> tuple[Batch, float]:
    """n Tales as rows, and the lowest loss possible on them, in nats per token.

    Warns of stories that are too long for the context, and leaves them out of both.
    """
    everything = [
        (tokenizer.encode(story.text), story.log_prob) for story in stories(n, split=split)
    ]
    told = [(ids, log_prob) for ids, log_prob in everything if len(ids) < context_length]
    if short := n - len(told):
        warnings.warn(
            f"{short} of {n} stories have {context_length} tokens or more, too many for the "
            f"context: they are left out",
            stacklevel=2,
        )
    tokens = sum(len(ids) + 1 for ids, _ in told)  # and the end
    end = tokenizer.special_tokens[END_OF_TEXT]
    rows = story_rows([ids for ids, _ in told], context_length, end)
    return rows, -sum(log_prob for _, log_prob in told) / tokens
