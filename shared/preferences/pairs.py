"""Comparisons: two continuations of one beginning, one of them chosen; kept in a file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.text import END_OF_TEXT, BPEEncoder


@dataclass(frozen=True)
class Pair:
    """A beginning and two continuations. Raises ValueError on an empty or an equal one."""

    prompt: str
    chosen: str
    rejected: str

    def __post_init__(self):
        for name, text in asdict(self).items():
            if not text.strip():
                raise ValueError(f"the {name} is empty: {text!r}")
        if self.chosen.split() == self.rejected.split():
            raise ValueError(f"both continuations are equal, there is no choice: {self.chosen!r}")


def text_row(prompt: str, continuation: str, tokenizer: BPEEncoder) -> tuple[list[int], int]:
    """The ids of a beginning with its continuation, and where that starts."""
    start = [tokenizer.special_tokens[END_OF_TEXT], *tokenizer.encode(prompt)]
    return start + tokenizer.encode(continuation), len(start)


def pair_rows(pairs: Sequence[Pair], tokenizer: BPEEncoder) -> tuple[list[list[int]], list[int]]:
    """The rows of all chosen and then of all rejected ones, and where the continuations start."""
    texts = [(p.prompt, p.chosen) for p in pairs] + [(p.prompt, p.rejected) for p in pairs]
    rows, starts = zip(*(text_row(*text, tokenizer) for text in texts), strict=True)
    return [*rows], [*starts]


def save_choices(path: str | Path, pairs: Sequence[Pair]) -> None:
    """Add choices to a file, one line of JSON each."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(pair), ensure_ascii=False) + "\n" for pair in pairs)


def read_choices(path: str | Path) -> list[Pair]:
    """The choices in a file. Raises ValueError with the number of a line that is none."""
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    pairs = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            pairs.append(Pair(**json.loads(line)))
        except (TypeError, ValueError) as error:
            torn = number == len(lines)
            hint = f"; it is the last one and torn: delete it to keep {len(pairs)}" if torn else ""
            raise ValueError(f"{path}, line {number} is no choice: {error}{hint}") from error
    return pairs
