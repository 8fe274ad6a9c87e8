"""Tensors in files that are checked when they are read, used from chapter 5 on."""

from hashlib import sha256
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from shared.files import whole_file


def write_tensors(path: str | Path, tensors: dict[str, Tensor], **notes: str) -> None:
    """Write a safetensors file, whole or not at all, with notes and the checksum of its tensors."""
    checksum = sha256(save(tensors)).hexdigest()
    with whole_file(path) as file:
        file.write(save(tensors, {"format": "pt", **notes, "sha256": checksum}))


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and notes. Raises ValueError if the file is cut, or its checksum is another."""
    try:
        tensors = load_file(path)
        with safe_open(path, "pt") as file:
            notes = file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path}: no complete safetensors file ({error})") from error
    found = sha256(save(tensors)).hexdigest()
    if notes.get("sha256", found) != found:
        raise ValueError(f"{path}: damaged, its checksum is {found}, not {notes['sha256']}")
    return tensors, notes
