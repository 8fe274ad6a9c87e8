"""Windows, loaders and token files, against plain loops."""

import os
import pickle
import tracemalloc

import numpy as np
import pytest
import torch

from shared.text import SlidingWindows, TokenFile, make_loader, story_windows


def plain_windows(ids, T, stride):
    """As one would write it on paper: every start whose last target is still in the text."""
    found, start = [], 0
    while start + T < len(ids):
        found.append((ids[start : start + T], ids[start + 1 : start + T + 1]))
        start += stride
    return found


@pytest.fixture(params=["list", "range", "tensor", "file"])
def as_ids(request, tmp_path):
    def convert(ids):
        if request.param == "file":
            return TokenFile.write(tmp_path / "ids.npy", [ids], vocab_size=1000)
        return {"list": list, "range": list, "tensor": torch.tensor}[request.param](ids)

    return convert


@pytest.mark.parametrize("T", [1, 3, 4, 9])
@pytest.mark.parametrize("stride", [1, 2, 4, 7, 100])
def test_windows(as_ids, T, stride):
    ids = [(7 * i) % 100 for i in range(10)]
    windows = SlidingWindows(as_ids(ids), T, stride)
    found = [(x.tolist(), y.tolist()) for x, y in windows]
    assert found == plain_windows(ids, T, stride)
    assert len(windows) == len(found)
    x, y = windows[0]
    assert x.dtype == y.dtype == torch.int64 and x.shape == y.shape == (T,)


def test_no_window_beyond_the_last():
    windows = SlidingWindows(list(range(10)), 4, 4)
    for i in (2, -1, 100):
        with pytest.raises(IndexError, match=f"window {i} of 2"):
            windows[i]


@pytest.mark.parametrize(
    ("n", "T", "stride", "said"),
    [
        (10, 4, 0, "stride 0"),
        (10, 4, -1, "stride -1"),
        (10, 0, 1, "context length 0"),
        (4, 4, 1, "4 tokens hold no window of 4"),
        (0, 4, 1, "0 tokens"),
    ],
)
def test_windows_that_cannot_be(n, T, stride, said):
    with pytest.raises(ValueError, match=said):
        SlidingWindows(list(range(n)), T, stride)
    assert len(SlidingWindows(list(range(5)), 4, 1)) == 1


def starts(loader):
    return [int(i) for x, _ in loader for i in x[:, 0]]


def test_every_argument_of_the_loader_is_honoured():
    ids, generator = list(range(103)), torch.Generator().manual_seed(3)
    plain = make_loader(ids, 5, 5, 6)
    assert starts(plain) == list(range(0, 96 + 1, 5)) and len(plain) == 4
    x, y = next(iter(plain))
    assert x.shape == (6, 5) and torch.equal(x + 1, y)
    shuffled = make_loader(ids, 5, 5, 6, shuffle=True, generator=generator)
    first, second = starts(shuffled), starts(shuffled)
    assert (
        sorted(first) == sorted(second) == starts(plain)
        and len({*map(tuple, (first, second))}) == 2
    )
    again = make_loader(ids, 5, 5, 6, shuffle=True, generator=torch.Generator().manual_seed(3))
    assert starts(again) == first
    assert starts(make_loader(ids, 5, 5, 6, drop_last=True)) == starts(plain)[:18]
    assert starts(make_loader(ids, 5, 1, 6)) == list(range(98))
    assert make_loader(ids, 5, 5, 6, num_workers=1).num_workers == 1


def test_workers_give_the_same_batches():
    ids = list(range(50))
    assert starts(make_loader(ids, 5, 5, 2, num_workers=1)) == starts(make_loader(ids, 5, 5, 2))


def test_a_loader_without_a_batch():
    with pytest.raises(ValueError, match="2 windows fill no batch of 3"):
        make_loader(list(range(11)), 5, 5, 3, drop_last=True)
    assert len(make_loader(list(range(11)), 5, 5, 3)) == 1


def test_stories_by_hand():
    rows = story_windows([[1, 2, 3], [4], [5, 6]], 4, end=0)
    assert rows.tolist() == [[0, 1, 2, 3, 0], [0, 4, 0, 5, 6], [0, 5, 6, 0, 1]]


def test_stories_against_a_loop():
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(0, 9, (40,), generator=generator).tolist()
    stories = [torch.randint(1, 99, (n,), generator=generator).tolist() for n in lengths]
    rows = story_windows(iter(stories), 12, end=0).tolist()
    for k, row in enumerate(rows):
        expected, i = [], k
        while len(expected) < 13:
            expected += [0, *stories[i % 40]]
            i += 1
        assert row == expected[:13]
    assert len(rows) == 40


def test_stories_too_short():
    with pytest.raises(ValueError, match="5 tokens do not fill a row of 5"):
        story_windows([[1], [2, 3]], 5, end=0)
    with pytest.raises(ValueError, match="0 tokens"):
        story_windows([], 5, end=0)


@pytest.mark.parametrize(("vocab_size", "bytes_each"), [(2**16, 2), (2**16 + 1, 4)])
def test_token_file(tmp_path, vocab_size, bytes_each):
    path, top = tmp_path / "ids.npy", vocab_size - 1
    file = TokenFile.write(path, [[1, 2], [], np.array([top, 0]), torch.tensor([5])], vocab_size)
    assert len(file) == 5 and file[0:5].tolist() == [1, 2, top, 0, 5]
    assert file[1:3].tolist() == [2, top] and file[1:3].dtype == torch.int64
    assert path.stat().st_size == 128 + 5 * bytes_each + 32  # a head and a checksum
    assert np.load(path).tolist() == [1, 2, top, 0, 5]
    assert os.listdir(tmp_path) == ["ids.npy"]
    copy = pickle.loads(pickle.dumps(file))
    assert copy[0:5].tolist() == file[0:5].tolist()


@pytest.mark.parametrize("ids", [[3, -1], [100], [5, 70_000]])
def test_bad_ids_are_not_written(tmp_path, ids):
    path = tmp_path / "ids.npy"
    TokenFile.write(path, [[7]], 100)
    with pytest.raises(ValueError, match=f"{max(ids)}: a vocabulary of 100 has 0 to 99"):
        TokenFile.write(path, [[1, 2], ids], 100)
    assert TokenFile(path)[0:1].tolist() == [7] and os.listdir(tmp_path) == ["ids.npy"]


def test_a_failing_source_or_disk_leaves_the_old_file(tmp_path, monkeypatch):
    def pieces():
        yield [1, 2]
        raise OSError(28, "No space left on device")

    path = tmp_path / "ids.npy"
    TokenFile.write(path, [[7]], 100)
    with pytest.raises(OSError, match="No space"):
        TokenFile.write(path, pieces(), 100)
    assert TokenFile(path)[0:1].tolist() == [7] and os.listdir(tmp_path) == ["ids.npy"]


@pytest.mark.parametrize("size", [0, 5, 100, 129, 131])
def test_damaged_token_file(tmp_path, size):
    path = tmp_path / "ids.npy"
    TokenFile.write(path, [[1, 2, 3]], 100)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"ids.npy is no complete token file"):
        TokenFile(path)


@pytest.mark.parametrize("piece", [[1.5, 2.0], torch.ones(2, 3).long(), 3, [True], ["a"]])
def test_what_is_no_row_of_ids_is_not_written(tmp_path, piece):
    with pytest.raises(ValueError, match="a piece is a row of integers, not"):
        TokenFile.write(tmp_path / "ids.npy", [[1, 2], piece], 100)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((2, 3), "<u2"), np.zeros(3, np.int64)])
def test_other_arrays_are_no_token_files(tmp_path, array):
    np.save(tmp_path / "ids.npy", array)
    with pytest.raises(ValueError, match=r"ids.npy is no token file"):
        TokenFile(tmp_path / "ids.npy")


@pytest.mark.parametrize("content", [b"PK\x03\x04garbage", b"\x93NUMPY\x01\x00"])
def test_other_files_are_no_token_files(tmp_path, content):
    (tmp_path / "ids.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"ids.npy is no complete token file"):
        TokenFile(tmp_path / "ids.npy")


def test_no_token_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        TokenFile(tmp_path / "ids.npy")


def resident():
    """Bytes of this process in memory, mapped files included (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from /proc")
def test_memory_does_not_grow_with_the_file(tmp_path):
    """10^8 tokens are 200 MB: looking at all of them adds less than a tenth of that."""
    part = np.arange(10**6, dtype=np.uint16)
    file = TokenFile.write(tmp_path / "ids.npy", (part for _ in range(100)), 2**16)
    before = resident()
    for start in range(0, len(file), 10**5):
        assert file[start : start + 10**5][-1] == part[(start + 10**5 - 1) % 10**6]
    assert resident() - before < 20e6
    tracemalloc.start()
    file[:10]
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize("vocab_size", [100, 70_000])
def test_ids_that_have_changed_are_noticed(tmp_path, vocab_size):
    """Any bit of the ids, of their checksum, and a byte more or less."""
    path, ids = tmp_path / "ids.npy", list(range(50)) * 3
    assert len(TokenFile.write(path, [ids, [7]], vocab_size).checked()) == 151
    whole = path.read_bytes()
    start = len(whole) - 32 - 151 * (2 if vocab_size < 2**16 else 4)
    for place in (start, start + 1, len(whole) - 33, len(whole) - 32, len(whole) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"ids.npy is damaged: the checksum of its 151 ids"):
            TokenFile(path).checked()
    for content in (whole[:-1], whole + b"\0"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="damaged"):
            TokenFile(path).checked()
    np.save(path, np.arange(9, dtype=np.uint16))  # by others: no checksum
    assert TokenFile(path).checked()[0:9].tolist() == list(range(9))


def test_a_long_token_file_is_checked_in_parts(tmp_path):
    file = TokenFile.write(tmp_path / "ids.npy", [np.arange(2**20 + 5) % 1000], 1000)
    assert file.checked() is file and len(file) == 2**20 + 5
