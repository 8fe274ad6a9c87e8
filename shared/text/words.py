"""Words and special tokens, as derived in chapter 2: a text cut into pieces that have numbers."""

import re
from collections.abc import Collection, Iterable
from operator import index

UNKNOWN = "<|unk|>"
WORDS = r'([,.?_!"()\']|--|\s)'
WORDS_AND_COLONS = r'([,.:;?_!"()\']|--|\s)'


def split_special(text: str, special_tokens: Collection[str]) -> list[str]:
    """Cut a text before and after each special token, the longest first.

    >>> split_special("one<|endoftext|>two", ["<|endoftext|>"])
    ['one', '<|endoftext|>', 'two']
    """
    if isinstance(special_tokens, str) or "" in special_tokens:
        raise ValueError(f"special tokens are a list of names, not {special_tokens!r}")
    names = sorted(special_tokens, key=len, reverse=True)
    return re.split(f"({'|'.join(map(re.escape, names))})", text) if names else [text]


def split_words(text: str, pattern: str = WORDS) -> list[str]:
    """Words and punctuation marks; white space is dropped.

    >>> split_words("It's late.")
    ['It', "'", 's', 'late', '.']
    """
    return [piece for piece in re.split(pattern, text) if piece.strip()]


def check_ids(ids: Iterable[int], vocab_size: int) -> list[int]:
    """The ids as a list. Raises ValueError on one outside 0 ... vocab_size - 1."""
    ids = list(map(index, ids))
    for i in ids:
        if not 0 <= i < vocab_size:
            raise ValueError(f"unknown token id {i}: the vocabulary has {vocab_size} tokens")
    return ids


class WordTokenizer:
    """One id for each word and punctuation mark; `<|unk|>`, if it has one, for all others."""

    def __init__(self, words: list[str], special_tokens: Collection[str] = (), pattern=WORDS):
        self.words = [*words, *special_tokens]
        self.special_tokens, self.pattern = special_tokens, pattern
        self.ids = {word: i for i, word in enumerate(self.words)}

    @classmethod
    def train(cls, text: str, special_tokens: Collection[str] = (), pattern: str = WORDS):
        """Number the words of a text in alphabetical order, and then the special tokens."""
        pieces = set(split_special(text, special_tokens)) - set(special_tokens)
        words = {word for piece in pieces for word in split_words(piece, pattern)}
        return cls(sorted(words), special_tokens, pattern)

    def encode(self, text: str) -> list[int]:
        """Token ids. Raises KeyError on an unknown word if `<|unk|>` is not there for it."""
        ids, unknown = [], self.ids.get(UNKNOWN)
        for piece in split_special(text, self.special_tokens):
            special = piece in self.special_tokens
            for word in [piece] if special else split_words(piece, self.pattern):
                ids.append(self.ids.get(word, unknown))
                if ids[-1] is None:
                    raise KeyError(f"{word!r} is not among the {len(self.words)} known words")
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The words with single spaces between them, none before punctuation: not an inverse."""
        text = " ".join(self.words[i] for i in check_ids(ids, len(self.words)))
        return re.sub(r" ([,.:;?!)'\"])", r"\1", text)
