"""What the folder of a long run holds before its first step, used from chapter 5 on.

Settings, tokenizer, and the tokens of a text of one's own; the Tales are told again.
"""

import argparse
import json
from pathlib import Path

import torch

from shared.book import whole_file
from shared.model import TOKENIZER
from shared.text import (
    END_OF_TEXT,
    SPECIAL_TOKENS,
    BPETokenizer,
    SlidingWindows,
    TokenFile,
    story_windows,
)
from shared.training.feed import (
    Batch,
    Feed,
    check_divides,
    random_windows,
    rows_and_floor,
    shuffled,
)
from shared.training.loop import processes
from shared.training.resume import STATE, check_same
from shared.world import stories

TRAIN, VALIDATION = "train.npy", "validation.npy"
KEPT_BACK = 0.1  # of a text, its last part, for validation
ROWS = 300  # to validate with, at most
FREE = ("out", "eval_every", "save_every", "compile")  # may change between two parts of a run


def prepare(options: argparse.Namespace) -> None:
    """Settings, tokenizer and tokens in the folder, unless they are there.

    Raises ValueError if the folder is that of a run with other settings, or if the run can't begin.
    """
    check_divides(options.batch_size, processes()[1])
    for name in ("eval_every", "save_every"):
        if getattr(options, name) < 1:
            raise ValueError(f"{name} is {getattr(options, name)}: it should be at least 1")
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {k: str(v) for k, v in vars(options).items() if k not in FREE}
    place = options.out / "settings.json"
    if place.exists():
        check_same(f"{place}: another run", read_settings(place), settings)
        return
    tales = options.data == "tales"
    text = "" if tales else Path(options.data).read_text(encoding="utf-8")
    if options.start:
        tokenizer = BPETokenizer.load(options.start / TOKENIZER)
    else:
        texts = [story.text for story in stories(min(options.stories, 20_000))] if tales else text
        tokenizer = BPETokenizer.train(texts, options.vocab_size, SPECIAL_TOKENS)
    tokenizer.save(options.out / TOKENIZER)
    if not tales:
        ids = tokenizer.encode_ordinary(text)
        n = round(len(ids) * (1 - KEPT_BACK))
        for name, part in ((TRAIN, ids[:n]), (VALIDATION, ids[n:])):
            TokenFile.write(options.out / name, [part], options.vocab_size)
    with whole_file(place) as file:  # the last: now all is there
        file.write(json.dumps(settings, indent=1).encode())


def read_settings(place: Path) -> dict[str, str]:
    """What `prepare` has written. Raises ValueError, naming the file, if it is damaged."""
    try:
        return dict(json.loads(place.read_bytes()))
    except (RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"{place} holds no settings: {error!r}") from error


def begin(options: argparse.Namespace) -> tuple[Feed, Batch]:
    """The data of the run. If it can't begin, its settings are taken back, to be corrected."""
    try:
        return load_data(options)
    except ValueError:
        if processes()[0] == 0 and not (options.out / STATE).exists():
            (options.out / "settings.json").unlink(missing_ok=True)
        raise


def load_data(options: argparse.Namespace) -> tuple[Feed, Batch]:
    """The batches to train on, and the rows to validate with."""
    T, B, seed = options.context_length, options.batch_size, options.seed
    if options.data != "tales":
        windows = SlidingWindows(TokenFile(options.out / VALIDATION).checked(), T, T)
        rows = [windows[i] for i in range(0, len(windows), -(-len(windows) // ROWS))]
        inputs, targets = (torch.stack(part) for part in zip(*rows, strict=True))
        ids = TokenFile(options.out / TRAIN).checked()
        return random_windows(ids, T, B, seed), (inputs, targets)
    tokenizer = BPETokenizer.load(options.out / TOKENIZER)
    end = tokenizer.special_tokens[END_OF_TEXT]
    told = [tokenizer.encode(story.text) for story in stories(options.stories)]
    windows = story_windows(told, T, end)
    validation, _ = rows_and_floor(tokenizer, T)
    return shuffled(windows[:, :-1], windows[:, 1:], B, seed), validation
