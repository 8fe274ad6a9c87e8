"""Patterns, and what is still to come after a beginning: the states of the automata of chapter 9.

A pattern is made of characters, `(a|b)`, `?`, `*`, `+`, classes such as `[a-z,]` or `[^.]`, and
`\\` before a character that is meant itself. A class holds printable ASCII characters.
A state is what is still to come: the derivative of the pattern by what was read, after
Brzozowski (1964), https://doi.org/10.1145/321239.321249.
"""

from functools import cache

NOTHING, DONE = ("one of", frozenset()), ("end",)  # matches no text; matches the empty text
PRINTABLE = frozenset(range(32, 127))


def then(a: tuple, b: tuple) -> tuple:
    """First a, then b."""
    if NOTHING in (a, b):
        return NOTHING
    if a[0] == "then":
        return then(a[1], then(a[2], b))
    return b if a == DONE else a if b == DONE else ("then", a, b)


def either(a: tuple, b: tuple) -> tuple:
    """One of the two; equal ones are one, in whatever order they come."""
    parts = {p for x in (a, b) for p in (x[1] if x[0] == "either" else {x})} - {NOTHING}
    return ("either", frozenset(parts)) if len(parts) > 1 else (*parts, NOTHING)[0]


def often(a: tuple) -> tuple:
    """Any number of times, perhaps never."""
    return a if a[0] == "often" or a == DONE else ("often", a)


@cache
def may_end(node: tuple) -> bool:
    """Whether it matches the empty text."""
    kind = node[0]
    if kind == "then":
        return may_end(node[1]) and may_end(node[2])
    return kind in ("end", "often") or (kind == "either" and any(map(may_end, node[1])))


@cache
def derivatives(node: tuple) -> dict[int, tuple]:
    """What is still to come, for each byte that may come now."""
    kind, found = node[0], {}
    if kind == "one of":
        return dict.fromkeys(node[1], DONE)
    if kind == "either":
        options = [derivatives(part) for part in node[1]]
    elif kind == "often":
        options = [{byte: then(rest, node) for byte, rest in derivatives(node[1]).items()}]
    elif kind == "then":
        options = [{byte: then(rest, node[2]) for byte, rest in derivatives(node[1]).items()}]
        options += [derivatives(node[2])] if may_end(node[1]) else []
    else:
        options = []
    for option in options:
        for byte, rest in option.items():
            found[byte] = either(found.get(byte, NOTHING), rest)
    return found


class Pattern:
    """A pattern that is read from left to right."""

    def __init__(self, text: str):
        self.text, self.at = text, 0

    def look(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        """The next character. Raises ValueError where there is none."""
        if not self.look():
            raise self.wrong("something is missing")
        self.at += 1
        return self.text[self.at - 1]

    def wrong(self, what: str) -> ValueError:
        return ValueError(f"{what} at character {self.at} of the pattern {self.text!r}")

    def choice(self) -> tuple:
        node = self.row()
        while self.look() == "|":
            self.at += 1
            node = either(node, self.row())
        return node

    def row(self) -> tuple:
        pieces = []
        while self.look() not in ("", "|", ")"):
            pieces.append(self.repeated(self.piece()))
        node = DONE
        for piece in reversed(pieces):
            node = then(piece, node)
        return node

    def repeated(self, node: tuple) -> tuple:
        while self.look() and self.look() in "?*+":
            mark = self.take()
            node = either(node, DONE) if mark == "?" else often(node) if mark == "*" else then(
                node, often(node)
            )  # fmt: skip
        return node

    def piece(self) -> tuple:
        sign = self.take()
        if sign == "(":
            node = self.choice()
            if self.take() != ")":
                raise self.wrong("no ')'")
            return node
        if sign == "[":
            return self.one_of()
        if sign in "?*+]":
            raise self.wrong(f"a {sign!r} that belongs to nothing")
        node = DONE
        for byte in reversed((self.take() if sign == "\\" else sign).encode()):
            node = then(("one of", frozenset({byte})), node)
        return node

    def one_of(self) -> tuple:
        """The rest of a class. Raises ValueError if it is empty or not of printable ASCII."""
        signs, other = set(), self.look() == "^"
        self.at += other
        while (first := self.take()) != "]":
            first = self.take() if first == "\\" else first
            last = first
            if self.look() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                last = self.take()
            signs |= {*range(ord(first), ord(last) + 1)}
        if not signs <= PRINTABLE or not (signs := PRINTABLE - signs if other else signs):
            raise self.wrong("a class that is empty or not of printable ASCII characters")
        return ("one of", frozenset(signs))
