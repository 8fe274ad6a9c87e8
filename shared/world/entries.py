"""An instruction, and how to read many from a file, first met in chapter 7."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

FIELDS = ("instruction", "input", "output")
REFUSAL = "The story does not say."


@dataclass(frozen=True)
class Instruction:
    """What to do, with what, and a right answer; of our own also the kind, and what is true."""

    instruction: str
    input: str = ""
    output: str = ""
    kind: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()  # other answers that are just as right


def refuses(answer: str) -> bool:
    """Whether an answer says that there is none."""
    return answer == REFUSAL


def read_instructions(path: str | Path) -> list[Instruction]:
    """The instructions in a JSON file: a list of objects, each with the three FIELDS.

    Raises ValueError that names line, entry and field of the first thing that is wrong.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        entries = json.loads(text)
    except ValueError as error:  # also text that is not UTF-8
        raise ValueError(f"{path} is no JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        kind = "an empty list" if entries == [] else f"a {type(entries).__name__}"
        raise ValueError(f"{path} holds {kind}, not a list of instructions")
    found, place = [], text.index("[") + 1
    for number, entry in enumerate(entries, start=1):
        start = re.compile(r"[\s,]*").match(text, place).end()
        line = text.count("\n", 0, start) + 1
        found.append(check_entry(f"{path}, line {line}, entry {number}", entry))
        place = json.JSONDecoder().raw_decode(text, start)[1]
    return found


def check_entry(place: str, entry) -> Instruction:
    """One entry as an Instruction. Raises ValueError that begins with its place."""
    if not isinstance(entry, dict):
        raise ValueError(f"{place}: {entry!r:.60} is no object with {FIELDS}")
    for name in FIELDS:
        if name not in entry:
            raise ValueError(f"{place}: {name} is missing")
        if not isinstance(value := entry[name], str):
            raise ValueError(f"{place}: {name} is {value!r:.60}, no text")
        if name != "input" and not value.strip():
            raise ValueError(f"{place}: {name} is empty")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{place}: {name} has half a character: {value!r:.60}")
    return Instruction(*(entry[name] for name in FIELDS))
