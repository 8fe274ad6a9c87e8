"""Tensors in files: what was written comes back, and every damage is seen."""

import pytest
import torch
from safetensors.torch import load_file

from shared.book import read_tensors, write_tensors

TENSORS = {"b": torch.arange(6.0).view(2, 3), "a": torch.tensor(7), "c": torch.ones(4).bfloat16()}


def test_back_as_written_and_for_others_to_read(tmp_path):
    write_tensors(tmp_path / "t", TENSORS, step="3")
    tensors, notes = read_tensors(tmp_path / "t")
    for found in (tensors, load_file(tmp_path / "t")):
        assert found.keys() == TENSORS.keys()
        assert all(
            torch.equal(found[k], v) and found[k].dtype == v.dtype for k, v in TENSORS.items()
        )
    assert notes["step"] == "3" and notes["format"] == "pt"


def test_one_turned_bit_is_seen_anywhere(tmp_path):
    path = tmp_path / "t"
    write_tensors(path, TENSORS, step="3")
    content = path.read_bytes()
    for place in range(0, len(content) * 8, 7):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            tensors, notes = read_tensors(path)
        except ValueError as error:
            assert str(path) in str(error)
        else:  # then it is in the name of the note that holds the checksum
            assert all(torch.equal(tensors[k], v) for k, v in TENSORS.items())
            assert notes.keys() > {"format", "step"}


def test_the_checksum_is_named(tmp_path):
    path = tmp_path / "t"
    write_tensors(path, TENSORS)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"its checksum is [0-9a-f]{64}, not [0-9a-f]{64}"):
        read_tensors(path)
