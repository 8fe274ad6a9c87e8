"""Text to chunks, about words, as derived in chapter 2: the first step of byte-pair encoding."""

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import regex

from shared.text.words import split_special

CHUNKS = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"  # GPT-2's


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
