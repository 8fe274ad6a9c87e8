"""Batches by number against plain sets of rows."""

import warnings
from collections import Counter

import pytest
import torch

from shared.text import END_OF_TEXT, BPETokenizer, TokenFile
from shared.training import (
    generator_of,
    random_windows,
    rows_and_floor,
    shuffled,
    story_rows,
)
from shared.training.feed import part_of
from shared.world import stories

INPUTS = torch.arange(22).view(11, 2)


def test_each_row_once_in_an_epoch_in_a_new_order():
    batch = shuffled(INPUTS, -INPUTS, batch_size=3)
    epochs = []
    for epoch in range(3):
        parts = [batch(3 * epoch + i) for i in range(3)]  # 9 of 11 rows
        rows = [tuple(row) for inputs, _ in parts for row in inputs.tolist()]
        assert len(set(rows)) == 9 and set(rows) <= {tuple(row) for row in INPUTS.tolist()}
        assert all(torch.equal(inputs, -targets) for inputs, targets in parts)
        epochs.append(rows)
    assert epochs[0] != epochs[1] != epochs[2]


def test_a_batch_depends_on_its_number_and_the_seed_alone():
    one, other = (shuffled(INPUTS, INPUTS, 2, seed=5) for _ in range(2))
    forward = [one(i)[0].tolist() for i in range(20)]
    assert [other(i)[0].tolist() for i in reversed(range(20))] == forward[::-1]
    assert [shuffled(INPUTS, INPUTS, 2, seed=6)(i)[0].tolist() for i in range(20)] != forward


def test_windows_are_everywhere_in_a_row_and_in_a_file(tmp_path):
    ids = torch.arange(100, 120)
    file = TokenFile.write(tmp_path / "ids.npy", [ids.tolist()], 1024)
    starts = Counter()
    for i in range(500):
        inputs, targets = random_windows(ids, 4, 6)(i)
        assert inputs.shape == targets.shape == (6, 4)
        assert torch.equal(inputs + 1, targets)
        assert torch.equal(inputs - inputs[:, :1], torch.arange(4).expand(6, 4))
        assert torch.equal(random_windows(file, 4, 6)(i)[1], targets)
        starts.update((inputs[:, 0] - 100).tolist())
    assert sorted(starts) == list(range(16))  # 15 + 4 is the last token, a target
    expected = 3000 / 16
    assert sum((n - expected) ** 2 / expected for n in starts.values()) < 44  # chi-squared, p 1e-4


def test_windows_of_another_seed_or_step_are_others():
    ids = torch.arange(1000)
    one, other = (random_windows(ids, 4, 6, seed=seed) for seed in (0, 1))
    assert torch.equal(one(2)[0], random_windows(ids, 4, 6)(2)[0])
    assert not torch.equal(one(2)[0], other(2)[0])
    assert not torch.equal(one(2)[0], one(3)[0])


def test_processes_share_a_batch():
    feed = shuffled(INPUTS, -INPUTS, 6)
    parts = [part_of(feed, rank, 3)(4) for rank in range(3)]
    rows = torch.cat([inputs for inputs, _ in parts])
    assert sorted(rows.tolist()) == sorted(feed(4)[0].tolist())
    assert all(torch.equal(inputs, -targets) for inputs, targets in parts)
    with pytest.raises(ValueError, match="6 rows can't be divided by 4"):
        part_of(feed, 0, 4)(0)


def test_stories_alone_in_rows():
    inputs, targets = story_rows([[1, 2], [], [3, 4, 5]], context_length=4, end=9)
    assert inputs.tolist() == [[9, 1, 2, 9], [9, 9, 9, 9], [9, 3, 4, 5]]
    assert targets.tolist() == [[1, 2, 9, -100], [9, -100, -100, -100], [3, 4, 5, 9]]


def test_generators_differ_in_each_number():
    numbers = [(0,), (1,), (0, 0), (0, 1), (1, 0), (0, 0, 0), (2**40, 3), (3, 2**40)]
    drawn = {int(torch.randint(2**60, (1,), generator=generator_of(*n))) for n in numbers}
    assert len(drawn) == len(numbers)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: shuffled(INPUTS, INPUTS, 12), "11 inputs, 11 targets: no batch of 12"),
        (lambda: shuffled(INPUTS, INPUTS[:5], 2), "11 inputs, 5 targets"),
        (lambda: shuffled(INPUTS, INPUTS, 0), "no batch of 0"),
        (lambda: random_windows(torch.arange(4), 4, 2), "4 tokens hold no window of 4"),
        (lambda: random_windows(torch.arange(9), 4, 0), "9 tokens"),
        (lambda: story_rows([], 8, 0), "0 stories"),
        (lambda: story_rows([[1] * 8], 8, 0), "the longest has 8 tokens: .* at most 7"),
    ],
)
def test_what_cannot_be(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_stories_too_long_for_the_context_are_counted_and_said():
    tokenizer = BPETokenizer.train([s.text for s in stories(200)], 500, [END_OF_TEXT])
    lengths = [len(tokenizer.encode(s.text)) for s in stories(50, split="validation")]
    middle = sorted(lengths)[25]
    long = sum(length >= middle for length in lengths)
    with pytest.warns(UserWarning, match=rf"{long} of 50 stories have {middle} tokens or more"):
        rows, floor = rows_and_floor(tokenizer, middle, n=50)
    assert len(rows[0]) == 50 - long and floor > 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(rows_and_floor(tokenizer, max(lengths) + 1, n=50)[0][0]) == 50
