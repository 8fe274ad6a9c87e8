"""From a row of token ids to batches of inputs and targets, as derived in chapter 2.

Shapes: B batch, T = context length; inputs and targets are (B, T), one token apart.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.lib.format import write_array_header_1_0
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from shared.files import whole_file


class TokenFile:
    """Token ids in a file, read through a memory map: (N,) as if they were in memory.

    The map is closed after each look, so that a billion tokens need no more memory than a million.
    """

    def __init__(self, path: str | Path):
        """Raises ValueError if the file is damaged, FileNotFoundError if there is none."""
        self.path = Path(path)
        self.length = len(self.look())

    @classmethod
    def write(cls, path: str | Path, pieces: Iterable[Sequence[int]], vocab_size: int):
        """Write pieces of a row one after the other, 2 bytes a token up to 65,536 tokens, else 4.

        A .npy file. Raises ValueError on an id outside 0 ... vocab_size - 1, and writes nothing.
        """
        dtype, n = np.dtype("<u2" if vocab_size <= 2**16 else "<u4"), 0
        with whole_file(path) as file:
            write_header(file, dtype, n)
            for ids in map(np.asarray, pieces):
                if ids.ndim != 1 or (len(ids) and ids.dtype.kind not in "iu"):
                    raise ValueError(f"a piece is a row of integers, not {ids.dtype} {ids.shape}")
                if len(ids) and not 0 <= ids.min() <= ids.max() < vocab_size:
                    raise ValueError(
                        f"ids {ids.min()} to {ids.max()}: a vocabulary of {vocab_size} "
                        f"has 0 to {vocab_size - 1}"
                    )
                file.write(ids.astype(dtype).tobytes())
                n += len(ids)
            file.seek(0)
            write_header(file, dtype, n)
        return cls(path)

    def look(self) -> np.ndarray:
        """The ids as they stand in the file, mapped and not read."""
        try:
            ids = np.load(self.path, mmap_mode="r")
        except (EOFError, OverflowError, ValueError, BadZipFile) as error:
            raise ValueError(f"{self.path} is no complete token file: {error}") from error
        if not isinstance(ids, np.ndarray) or ids.ndim != 1 or ids.dtype.kind != "u":
            raise ValueError(f"{self.path} is no token file: it holds no row of unsigned integers")
        return ids

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, places: slice) -> Tensor:
        return torch.from_numpy(self.look()[places].astype(np.int64))


def write_header(file, dtype: np.dtype, n: int) -> None:
    """The head of a .npy file with n numbers; it has the same length for any n."""
    head = {"descr": dtype.str, "fortran_order": False, "shape": (n,)}
    write_array_header_1_0(file, head)


class SlidingWindows(Dataset):
    """Windows of a row of ids, `stride` apart: inputs (T,) and targets (T,), one token apart."""

    def __init__(self, ids: Sequence[int] | Tensor | TokenFile, context_length: int, stride: int):
        """Raises ValueError unless a window and the target of its last token fit."""
        if context_length < 1 or stride < 1:
            raise ValueError(f"context length {context_length}, stride {stride}: at least 1 each")
        if len(ids) <= context_length:
            raise ValueError(
                f"{len(ids)} tokens hold no window of {context_length} and one target more"
            )
        self.ids = ids if isinstance(ids, Tensor | TokenFile) else torch.tensor(ids)
        self.context_length, self.stride = context_length, stride

    def __len__(self) -> int:
        return (len(self.ids) - self.context_length - 1) // self.stride + 1

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        if not 0 <= i < len(self):
            raise IndexError(f"window {i} of {len(self)}")
        start = i * self.stride
        window = self.ids[start : start + self.context_length + 1]
        return window[:-1], window[1:]


def make_loader(ids, context_length: int, stride: int, batch_size: int, **options) -> DataLoader:
    """Batches of windows: inputs (B, T) and targets (B, T).

    `options` are DataLoader's: shuffle, drop_last, num_workers, generator, ... Raises ValueError if
    drop_last would leave nothing.
    """
    windows = SlidingWindows(ids, context_length, stride)
    if options.get("drop_last") and len(windows) < batch_size:
        raise ValueError(f"drop_last: {len(windows)} windows fill no batch of {batch_size}")
    return DataLoader(windows, batch_size, **options)


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
