"""Byte-pair encoding, as derived in chapter 2: text to chunks, chunks to parts, parts to merges.

A *chunk* is about a word; a *part* is a piece of a chunk, at first a single byte; a *pair* is two
neighboring parts. From Sennrich et al. (2016), https://arxiv.org/abs/1508.07909, on bytes as in
GPT-2 (Radford et al., 2019).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from heapq import heappop, heappush
from itertools import pairwise
from pathlib import Path

import regex

CHUNKS = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"  # GPT-2's


def split_special(text: str, special_tokens: Collection[str]) -> list[str]:
    """Cut a text before and after each special token, the longest first.

    >>> split_special("one<|endoftext|>two", ["<|endoftext|>"])
    ['one', '<|endoftext|>', 'two']
    """
    if isinstance(special_tokens, str) or "" in special_tokens:
        raise ValueError(f"special tokens are a list of names, not {special_tokens!r}")
    names = sorted(special_tokens, key=len, reverse=True)
    return re.split(f"({'|'.join(map(re.escape, names))})", text) if names else [text]


def split_chunks(text: str) -> list[str]:
    """GPT-2's chunks: nothing is ever merged across their borders, and together they are the text.

    >>> split_chunks("It's 10 past.")
    ['It', "'s", ' 10', ' past', '.']

    Raises UnicodeEncodeError, a ValueError, on a lone surrogate: that is half a character, no text.
    """
    text.encode()
    return regex.findall(CHUNKS, text)


def count_chunks(
    texts: str | Path | Iterable[str | Path], special_tokens: Collection[str] = ()
) -> Counter[str]:
    """How often each chunk occurs in a text (str), a file (Path) or several of either.

    >>> count_chunks("no, no, no")
    Counter({',': 2, ' no': 2, 'no': 1})
    """
    counts = Counter()
    for text in [texts] if isinstance(texts, str | Path) else texts:
        text = text.read_bytes().decode() if isinstance(text, Path) else text
        for piece in split_special(text, special_tokens):
            if piece not in special_tokens:
                counts.update(split_chunks(piece))
    return counts


def merge(parts: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """Replace each occurrence of the pair, from left to right, by its two parts in one.

    >>> merge([b"b", b"a", b"n", b"a", b"n", b"a"], (b"a", b"n"))
    [b'b', b'an', b'an', b'a']
    """
    left, right = pair
    merged = []
    for part in parts:
        if part == right and merged and merged[-1] == left:  # left + right never equals left
            merged[-1] += right
        else:
            merged.append(part)
    return merged


def index_pairs(parts: list[list[bytes]], times: list[int]) -> tuple[Counter, dict]:
    """How often each pair of neighbors occurs, and the numbers of the chunks that hold it.

    >>> index_pairs([[b"n", b"o"], [b"n", b"o", b"t"]], times=[5, 2])[0]
    Counter({(b'n', b'o'): 7, (b'o', b't'): 2})
    """
    counts, places = Counter(), defaultdict(set)
    for i, chunk in enumerate(parts):
        for pair in pairwise(chunk):
            counts[pair] += times[i]
            places[pair].add(i)
    return counts, places


def merge_in_chunks(pair, numbers, parts, times, places) -> Counter:
    """Merge a pair in the chunks with these numbers: by how much the count of each pair changes.

    Changes `parts` and adds the new pairs to `places`, both as in `index_pairs`.
    """
    change = Counter()
    for i in numbers:
        for old in pairwise(parts[i]):
            change[old] -= times[i]
        parts[i] = merge(parts[i], pair)
        for new in pairwise(parts[i]):
            change[new] += times[i]
            places[new].add(i)
    return change


def learn_merges(chunks: dict[str, int], n_merges: int) -> list[tuple[bytes, bytes]]:
    """Merge the most frequent pair, again and again: the pairs in order, fewer if none is left.

    Of equally frequent pairs the first in byte order is taken, comparing their left parts first.
    >>> learn_merges({"low": 2, "lower": 1, "new": 3}, 3)
    [(b'e', b'w'), (b'l', b'o'), (b'lo', b'w')]
    """
    parts = [[bytes([byte]) for byte in chunk.encode()] for chunk in chunks]
    times = list(chunks.values())
    counts, places = index_pairs(parts, times)
    heap = sorted((-count, pair) for pair, count in counts.items())
    merges = []
    while heap and len(merges) < n_merges:
        count, best = heappop(heap)
        if -count != counts[best]:
            continue  # this entry is out of date; if the pair is still there, so is a newer entry
        merges.append(best)
        change = merge_in_chunks(best, places.pop(best), parts, times, places)
        for pair, difference in change.items():
            counts[pair] += difference
            if difference and counts[pair]:
                heappush(heap, (-counts[pair], pair))
    return merges


def apply_merges(chunk: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """Join the neighbors whose union has the lowest rank, leftmost first, until none has a rank.

    >>> apply_merges(b"lower", {b"er": 1, b"lo": 2, b"we": 3, b"low": 4})
    [b'low', b'er']
    """
    n = len(chunk)
    parts = [chunk[i : i + 1] for i in range(n)]  # a part that was joined to its left is b""
    left, right = list(range(-1, n - 1)), list(range(1, n + 1))  # the neighbors of each part
    pairs = [(chunk[i : i + 2], i) for i in range(n - 1)]
    heap = sorted((ranks[pair], i, pair) for pair, i in pairs if pair in ranks)
    while heap:
        _, i, pair = heappop(heap)
        j = right[i]
        if not parts[i] or j == n or parts[i] + parts[j] != pair:
            continue  # this entry is out of date
        parts[i], parts[j] = pair, b""
        right[i] = right[j]
        if right[i] < n:
            left[right[i]] = i
        for a, b in ((left[i], i), (i, right[i])):
            if a >= 0 and b < n and (pair := parts[a] + parts[b]) in ranks:
                heappush(heap, (ranks[pair], a, pair))
    return [part for part in parts if part]
