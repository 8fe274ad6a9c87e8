"""How fast BPE trains and encodes, beside the plain algorithm and beside tiktoken.

    python -m tests.benchmarks.bench_bpe

The prose is Python's own manual, which comes with Python.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pydoc_data.topics import topics
from statistics import median

from tokenizers import Tokenizer

from shared.book import available
from shared.model.export import hf_tokenizer
from shared.text import (
    SPECIAL_TOKENS,
    BPEEncoder,
    BPETokenizer,
    count_chunks,
    learn_merges,
    split_chunks,
)
from tests.benchmarks.row import Row, seconds

GROUP, ROUNDS = "Byte-pair encoding", 9


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


def training(text: str, n_merges: int = 500) -> Row:
    """Both algorithms on the same text."""
    fast = min(seconds(lambda: learn_merges(count_chunks(text), n_merges)) for _ in range(3))
    plain = []
    slow = seconds(lambda: plain.extend(naive_merges(split_chunks(text), n_merges)))
    assert learn_merges(count_chunks(text), n_merges) == plain, "the two algorithms disagree"
    what = f"{n_merges} merges on {len(text.encode()) / 1e3:.0f} KB"
    return Row(GROUP, what, n_merges / fast, "merges/s", slow / fast, "counting all pairs anew")


def encoding(text: str, bpe: BPEEncoder) -> Iterator[Row]:
    """A text that is new to the encoder, and again, against tiktoken and tokenizers in turns."""
    others = {
        "tiktoken": bpe.to_tiktoken().encode_ordinary,
        "tokenizers": Tokenizer.from_str(json.dumps(hf_tokenizer(bpe))).encode,
    }
    ids = bpe.encode_ordinary(text)
    assert ids == others["tiktoken"](text) == others["tokenizers"](text).ids
    rounds = []
    for _ in range(ROUNDS):
        bpe.known_chunks.clear()
        functions = (bpe.encode_ordinary, bpe.encode_ordinary, *others.values())
        rounds.append([seconds(lambda function=function: function(text)) for function in functions])
    size, what = len(text.encode()) / 1e6, f"{bpe.vocab_size:,} tokens"
    for i, (kind, bound) in enumerate((("new", 0.2), ("known", None))):
        rate = size / median(times[i] for times in rounds)
        for j, name in enumerate(others, start=2):
            ratio = median(times[j] / times[i] for times in rounds)
            said = f"encoding {size:.1f} MB of {kind} text, {what}"
            yield Row(GROUP, said, rate, "MB/s", ratio, name, bound if j == 2 else None)


def rows() -> Iterator[Row]:
    text = prose()
    yield from encoding(text, BPETokenizer.train(text, 2048, SPECIAL_TOKENS))
    if available("gpt2-vocabulary"):
        yield from encoding(text, BPETokenizer.from_gpt2())
    bad = "".join(random.Random(0).choices("abcdefghijklmnop", k=100_000))
    bpe = BPETokenizer.train(text, 1024)
    rate = len(bad) / 1e6 / seconds(lambda: bpe.encode(bad))
    yield Row(GROUP, "encoding one chunk of 100,000 random letters", rate, "MB/s")
    yield training(text[:130_000])


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
