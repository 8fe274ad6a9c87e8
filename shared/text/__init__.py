"""Text: words and tokens, and batches of token ids.

Only batches, token files and n-grams need PyTorch, which is loaded when they are asked for.
"""

from shared.book.later import later
from shared.text.bpe import apply_merges, learn_merges
from shared.text.chunks import CHUNKS, count_chunks, split_chunks
from shared.text.tokenizer import (
    ASSISTANT,
    END_OF_TEXT,
    END_OF_TURN,
    SPECIAL_TOKENS,
    USER,
    BPEEncoder,
    BPETokenizer,
)
from shared.text.words import (
    UNKNOWN,
    WORDS,
    WORDS_AND_COLONS,
    WordTokenizer,
    check_ids,
    split_special,
    split_words,
)

__all__ = [
    "ASSISTANT",
    "CHUNKS",
    "END_OF_TEXT",
    "END_OF_TURN",
    "SPECIAL_TOKENS",
    "UNKNOWN",
    "USER",
    "WORDS",
    "WORDS_AND_COLONS",
    "BPEEncoder",
    "BPETokenizer",
    "SlidingWindows",
    "TokenFile",
    "WordTokenizer",
    "apply_merges",
    "check_ids",
    "count_chunks",
    "learn_merges",
    "make_loader",
    "ngram_losses",
    "split_chunks",
    "split_special",
    "split_words",
    "story_windows",
]

__getattr__ = later(
    __name__,
    {
        "batches": ("SlidingWindows", "make_loader", "story_windows"),
        "ngrams": ("ngram_losses",),
        "tokenfile": ("TokenFile",),
    },
)
