"""Text: the Tales and what is asked about them, tokenizers, and batches of token ids.

Only batches and token files need PyTorch, which is loaded when they are asked for.
"""

from shared.book.later import later
from shared.text.bpe import CHUNKS, apply_merges, count_chunks, learn_merges, split_chunks
from shared.text.instructions import (
    EXACT,
    FREE,
    KINDS,
    Instruction,
    PartTeller,
    instructions,
    read_instructions,
)
from shared.text.quality import JUDGED, best_of, judge, kept, story_quality, tellings
from shared.text.tales import PARTS, SPLITS, WORLD, Story, Teller, articles, stories
from shared.text.tokenizer import END_OF_TEXT, BPEEncoder, BPETokenizer
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
    "CHUNKS",
    "END_OF_TEXT",
    "EXACT",
    "FREE",
    "JUDGED",
    "KINDS",
    "PARTS",
    "SPLITS",
    "UNKNOWN",
    "WORDS",
    "WORDS_AND_COLONS",
    "WORLD",
    "BPEEncoder",
    "BPETokenizer",
    "Instruction",
    "PartTeller",
    "SlidingWindows",
    "Story",
    "Teller",
    "TokenFile",
    "WordTokenizer",
    "apply_merges",
    "articles",
    "best_of",
    "check_ids",
    "count_chunks",
    "instructions",
    "judge",
    "kept",
    "learn_merges",
    "make_loader",
    "read_instructions",
    "split_chunks",
    "split_special",
    "split_words",
    "stories",
    "story_quality",
    "story_windows",
    "tellings",
]

__getattr__ = later(
    __name__,
    {"batches": ("SlidingWindows", "make_loader", "story_windows"), "tokenfile": ("TokenFile",)},
)
