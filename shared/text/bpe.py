"""Byte-pair encoding, as derived in chapter 2: chunks to parts, parts to merges.

A *chunk* is about a word; a *part* is a piece of it, at first a byte; a *pair* is two neighbors.
From Sennrich et al. (2016), https://arxiv.org/abs/1508.07909, on bytes as in GPT-2 (2019).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from heapq import heappop, heappush

SHORT, NEVER = 64, 2**62  # bytes of a chunk; the rank of what has none


class Row:
    """Parts in a row, in which two neighbors can be joined without moving the others.

    An empty part is a border, or a place whose part was joined to its left neighbor. The row is a
    ring, closed by a border: it has no special cases at its ends.
    >>> row = Row([b"l", b"o", b"w"])
    >>> row.join(0)
    >>> row.parts, row.pair(0)
    ([b'lo', b'', b'w', b''], (b'lo', b'w'))
    """

    def __init__(self, parts: Iterable[bytes]):
        self.parts = [*parts, b""]
        n = len(self.parts)
        self.left, self.right = list(range(-1, n - 1)), [*range(1, n), 0]

    def pair(self, i: int) -> tuple[bytes, bytes]:
        """The part at place i and its right neighbor."""
        return self.parts[i], self.parts[self.right[i]]

    def join(self, i: int) -> None:
        """Make one part of the two."""
        j = self.right[i]
        self.parts[i], self.parts[j] = self.parts[i] + self.parts[j], b""
        self.right[i] = self.right[j]
        self.left[self.right[i]] = i


def index_pairs(row: Row, times: list[int]) -> tuple[Counter, dict]:
    """How often each pair occurs, place i counting `times[i]`, and all its places.

    >>> counts, places = index_pairs(Row([b"n", b"o", b"", b"n", b"o"]), [5, 5, 0, 2, 2, 0])
    >>> counts[b"n", b"o"], places[b"n", b"o"]
    (7, {0, 3})
    """
    counts, places = Counter(), defaultdict(set)
    for i, count in enumerate(times):
        counts[row.pair(i)] += count
        places[row.pair(i)].add(i)
    return counts, places


def join_everywhere(best, row: Row, times: list[int], counts: Counter, places: dict) -> set:
    """Join a pair wherever it stands, and keep the index up to date: the pairs it touched."""
    touched = set()
    for i in sorted(places.pop(best)):
        if row.pair(i) != best:
            continue  # in "aaa" the second a can't be joined twice
        for k in (row.left[i], i, row.right[i]):
            counts[row.pair(k)] -= times[i]
            touched.add(row.pair(k))
        row.join(i)
        for k in (row.left[i], i):
            counts[row.pair(k)] += times[i]
            touched.add(row.pair(k))
            places[row.pair(k)].add(k)
    return touched


def learn_merges(chunks: dict[str, int], n_merges: int) -> list[tuple[bytes, bytes]]:
    """Join the most frequent pair, again and again: the pairs in order, fewer if none is left.

    Of equally frequent pairs the first in byte order is taken, comparing their left parts first.
    >>> learn_merges({"low": 2, "lower": 1, "new": 3}, 3)
    [(b'e', b'w'), (b'l', b'o'), (b'lo', b'w')]
    """
    parts, times = [b""], [0]
    for chunk, count in chunks.items():
        parts += [bytes([byte]) for byte in chunk.encode()] + [b""]
        times += [count] * len(chunk.encode()) + [0]
    row = Row(parts)
    counts, places = index_pairs(row, times)
    heap = sorted((-count, pair) for pair, count in counts.items() if all(pair))
    merges = []
    while heap and len(merges) < n_merges:
        count, best = heappop(heap)
        if -count == counts[best]:  # else it is out of date, and a newer entry may be there
            merges.append(best)
            for pair in join_everywhere(best, row, times, counts, places):
                if all(pair) and counts[pair]:
                    heappush(heap, (-counts[pair], pair))
    return merges


def apply_merges(chunk: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """Join the two neighbors whose union has the lowest rank, leftmost first, while one has a rank.

    >>> apply_merges(b"lower", {b"er": 1, b"lo": 2, b"we": 3, b"low": 4})
    [b'low', b'er']
    """
    if len(chunk) > SHORT:
        return apply_to_long(chunk, ranks)
    parts = [chunk[i : i + 1] for i in range(len(chunk))]
    pairs = [ranks.get(chunk[i : i + 2], NEVER) for i in range(len(chunk) - 1)]
    while pairs and (lowest := min(pairs)) < NEVER:
        i = pairs.index(lowest)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
        del pairs[i]
        if i:
            pairs[i - 1] = ranks.get(parts[i - 1] + parts[i], NEVER)
        if i < len(pairs):
            pairs[i] = ranks.get(parts[i] + parts[i + 1], NEVER)
    return parts


def apply_to_long(chunk: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """The same without looking at all pairs each time."""
    row = Row(chunk[i : i + 1] for i in range(len(chunk)))
    unions = [(i, chunk[i : i + 2]) for i in range(len(chunk) - 1)]
    heap = sorted((ranks[union], i, union) for i, union in unions if union in ranks)
    while heap:
        _, i, union = heappop(heap)
        if not row.parts[i] or b"".join(row.pair(i)) != union:
            continue  # out of date
        row.join(i)
        for k in (row.left[i], i):
            union = b"".join(row.pair(k))
            if all(row.pair(k)) and union in ranks:
                heappush(heap, (ranks[union], k, union))
    return [part for part in row.parts if part]
