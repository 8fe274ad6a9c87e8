"""Token ids in a file, as derived in chapter 2: read as if they were in memory."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.lib.format import write_array_header_1_0
from torch import Tensor

from shared.book import whole_file


class TokenFile:
    """Token ids in a file, read through a memory map: (N,) as if they were in memory.

    The map is closed after each look, so that a billion tokens need no more memory than a million.
    """

    def __init__(self, path: str | Path):
        """Raises ValueError if it is cut or no token file, FileNotFoundError if there is none.

        Whether its ids are those that were written, `checked` says: it reads all of them.
        """
        self.path = Path(path)
        self.length = len(self.look())

    @classmethod
    def write(cls, path: str | Path, pieces: Iterable[Sequence[int]], vocab_size: int):
        """Write pieces of a row one after the other, 2 bytes a token up to 65,536 tokens, else 4.

        A .npy file with a checksum behind the ids. Raises ValueError on an id outside
        0 ... vocab_size - 1, and writes nothing.
        """
        seen, n = sha256(), 0
        dtype = np.dtype("<u2" if vocab_size <= 2**16 else "<u4")
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
                raw = ids.astype(dtype).tobytes()
                file.write(raw)
                seen.update(raw)
                n += len(ids)
            file.write(seen.digest())
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

    def checked(self) -> "TokenFile":
        """This file. Raises ValueError if its ids are not those that were written.

        Files by others, without a checksum, may be anything.
        """
        ids, seen = self.look(), sha256()
        for start in range(0, len(ids), 2**20):
            seen.update(ids[start : start + 2**20].tobytes())
        with self.path.open("rb") as file:
            file.seek(ids.offset + ids.nbytes)
            stated = file.read()
        if stated and stated != seen.digest():
            raise ValueError(
                f"{self.path} is damaged: the checksum of its {len(ids)} ids is "
                f"{seen.hexdigest()}, not {stated.hex()}"
            )
        return self

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, places: slice) -> Tensor:
        return torch.from_numpy(self.look()[places].astype(np.int64))


def write_header(file, dtype: np.dtype, n: int) -> None:
    """The head of a .npy file with n numbers; it has the same length for any n."""
    head = {"descr": dtype.str, "fortran_order": False, "shape": (n,)}
    write_array_header_1_0(file, head)
