"""From a row of token ids to batches of inputs and targets, as derived in chapter 2.

Shapes: B batch, T = context length; inputs and targets are (B, T), one token apart.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from shared.text.tokenfile import TokenFile


class SlidingWindows(Dataset):
    """Windows of a row of ids, `stride` apart: input (T,) and target (T,)."""

    def __init__(self, ids, context_length: int, stride: int):
        self.ids = checked_row(ids, context_length, stride)
        self.context_length, self.stride = context_length, stride

    def __len__(self) -> int:
        return (len(self.ids) - self.context_length - 1) // self.stride + 1

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        if not 0 <= i < len(self):
            raise IndexError(f"window {i} of {len(self)}")
        start = i * self.stride
        window = self.ids[start : start + self.context_length + 1]
        return window[:-1], window[1:]


def checked_row(ids: Sequence[int] | Tensor | TokenFile, context_length: int, stride: int):
    """The ids as a tensor, or as the file in which they stand.

    Raises ValueError unless a window and the target of its last token fit.
    """
    if context_length < 1 or stride < 1:
        raise ValueError(f"context length {context_length}, stride {stride}: at least 1 each")
    if len(ids) <= context_length:
        raise ValueError(
            f"{len(ids)} tokens hold no window of {context_length} and one target more"
        )
    return ids if isinstance(ids, Tensor | TokenFile) else torch.tensor(ids)


def make_loader(ids, context_length, stride, batch_size, **options) -> DataLoader:
    """Batches of windows: inputs (B, T) and targets (B, T).

    `options` are DataLoader's: shuffle, drop_last, num_workers, generator, ...
    Raises ValueError if drop_last would leave nothing.
    """
    rows = SlidingWindows(ids, context_length, stride)
    if options.get("drop_last") and len(rows) < batch_size:
        raise ValueError(f"{len(rows)} windows fill no batch of {batch_size}")
    return DataLoader(rows, batch_size, **options)


def story_windows(stories: Iterable[Sequence[int]], context_length: int, end: int) -> Tensor:
    """Rows that begin where stories begin, each story at the head of one row: (N, T + 1).

    A row is the token `end`, a story, `end`, the next story, ... and is cut after T + 1 tokens. Its
    first T are the input and its last T the target. Behind the last story comes the first again.
    Raises ValueError if all stories together do not fill a row.
    """
    flat, starts = [], []
    for ids in stories:
        starts.append(len(flat))
        flat += [end, *ids]
    if len(flat) <= context_length:
        raise ValueError(f"{len(flat)} tokens do not fill a row of {context_length} and one more")
    places = torch.tensor(starts)[:, None] + torch.arange(context_length + 1)  # (N, T + 1)
    return torch.tensor(flat)[places % len(flat)]
