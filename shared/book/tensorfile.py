"""Tensors in files that are checked when they are read, used from chapter 5 on."""

import json
from hashlib import sha256
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from shared.book.files import whole_file


def write_tensors(path: str | Path, tensors: dict[str, Tensor], **notes: str) -> None:
    """Write a safetensors file, whole or not at all, with notes and a checksum of all."""
    notes = {"format": "pt", **notes}
    with whole_file(path) as file:
        file.write(save(tensors, {**notes, "sha256": checksum(tensors, notes)}))


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and notes. Raises ValueError if the file is cut, or its checksum is another.

    Also if it is a folder; FileNotFoundError if there is none.
    """
    if Path(path).is_dir():
        inside = ", ".join(sorted(p.name for p in Path(path).iterdir())[:5]) or "nothing"
        raise ValueError(f"{path} is a folder, not a file; in it are {inside}")
    try:
        tensors = load_file(path)
        with safe_open(path, "pt") as file:
            notes = file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path}: no complete safetensors file ({error})") from error
    stated = notes.pop("sha256", None)  # others' files have none
    if stated and stated != (found := checksum(tensors, notes)):
        raise ValueError(f"{path}: damaged, its checksum is {found}, not {stated}")
    return tensors, notes


def checksum(tensors: dict[str, Tensor], notes: dict[str, str]) -> str:
    """SHA-256 of tensors and notes, in whatever order they come."""
    return sha256(save(tensors) + json.dumps(notes, sort_keys=True).encode()).hexdigest()
