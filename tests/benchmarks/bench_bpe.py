"""How fast BPE trains and encodes, beside the plain algorithm and beside tiktoken.

    python -m tests.benchmarks.bench_bpe [FILE]

Without a file the prose is Python's own manual, which comes with Python.
"""

import random
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from pydoc_data.topics import topics

from shared.text import BPETokenizer, count_chunks, learn_merges, split_chunks
from shared.world import stories


def prose() -> str:
    """About half a megabyte of English: the chapters of Python's manual on the language."""
    return "\n".join(topics[name] for name in sorted(topics))


def merge(parts: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """Replace each occurrence of the pair, from left to right, by its union."""
    merged, i = [], 0
    while i < len(parts):
        if parts[i] == pair[0] and i + 1 < len(parts) and parts[i + 1] == pair[1]:
            merged.append(pair[0] + pair[1])
            i += 2
        else:
            merged.append(parts[i])
            i += 1
    return merged


def naive_merges(chunks: list[str], n_merges: int) -> list[tuple[bytes, bytes]]:
    """Byte-pair encoding to the letter: for each merge, count all pairs of the text again."""
    rows = [[bytes([byte]) for byte in chunk.encode()] for chunk in chunks]
    merges = []
    while len(merges) < n_merges:
        counts = Counter(pair for row in rows for pair in pairwise(row))
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        rows = [merge(row, merges[-1]) for row in rows]
    return merges


def naive_parts(chunk: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """Encode a chunk to the letter: look at all pairs, merge the first of the lowest rank."""
    parts = [bytes([byte]) for byte in chunk]
    while True:
        ranked = [(ranks[a + b], i) for i, (a, b) in enumerate(pairwise(parts)) if a + b in ranks]
        if not ranked:
            return parts
        _, i = min(ranked)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


def seconds(function, *arguments, runs: int = 3) -> tuple[float, object]:
    """The shortest of several runs, and the result."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = function(*arguments)
        times.append(time.perf_counter() - start)
    return min(times), result


def report(what: str, number: float, unit: str) -> None:
    print(f"{what:<60}{number:8.2f} {unit}")


def training(text: str, n_merges: int = 500) -> float:
    """Report both algorithms on the same text; how many times as fast ours is."""
    fast, ours = seconds(lambda: learn_merges(count_chunks(text), n_merges))
    slow, plain = seconds(lambda: naive_merges(split_chunks(text), n_merges), runs=1)
    assert ours == plain, "the two algorithms disagree"
    report(f"{n_merges} merges on {len(text.encode()) / 1e3:.0f} KB, keeping an index", fast, "s")
    report("the same merges, rescanning everything", slow, "s")
    report("times as fast", slow / fast, "")
    return slow / fast


def encoding(text: str, bpe: BPETokenizer) -> None:
    """Report the speed of our encoder and of tiktoken's; their ids must be equal."""
    megabytes, reference = len(text.encode()) / 1e6, bpe.to_tiktoken()
    first, _ = seconds(bpe.encode_ordinary, text, runs=1)
    warm, ours = seconds(bpe.encode_ordinary, text)
    rust, theirs = seconds(reference.encode_ordinary, text)
    assert ours == theirs, "the two encoders disagree"
    report(f"encode {megabytes:.2f} MB, first time", megabytes / first, "MB/s")
    report("encode it again", megabytes / warm, "MB/s")
    report("tiktoken, the same ids", megabytes / rust, "MB/s")
    bad = "".join(random.Random(0).choices("abcdefghijklmnop", k=100_000))
    report("encode one chunk of 100,000 random letters", seconds(bpe.encode, bad, runs=1)[0], "s")


def main() -> None:
    text = Path(sys.argv[1]).read_text(encoding="utf-8") if len(sys.argv) > 1 else prose()
    training(text[:130_000])
    encoding(text, BPETokenizer.train(text, 1024))
    tales = [story.text for story in stories(20_000)]
    elapsed, bpe = seconds(BPETokenizer.train, tales, 1024, runs=1)
    size = sum(map(len, tales)) / 1e6
    report(f"vocabulary of {bpe.vocab_size} from 20,000 stories, {size:.1f} MB", elapsed, "s")


if __name__ == "__main__":
    main()
