"""Templates, as `tales.toml` writes them, and the nodes that they are read as."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

ROLES = ("holder", "left", "why", "last", "episode")  # names that no list of a source explains
MARKS = re.compile(r"([][|]|\{[^}]*\})")


class Name(NamedTuple):
    """{hero}, {Hero}, {his hero}: a fact in words, or a phrase."""

    key: str
    form: str = ""
    capital: bool = False


class Fact(NamedTuple):
    """{holder=friend}: from here on the fact is another; {where=} forgets it."""

    key: str
    value: str


class Guard(NamedTuple):
    """{?holder=hero}, at the head of an option: when it may be taken."""

    key: str
    values: tuple[str, ...]


class Choice(NamedTuple):
    """Options, each a sequence of nodes; one is told. One that stands twice is twice as likely."""

    options: tuple[tuple, ...]
    guarded: bool
    repeats: bool


Node = str | Name | Fact | Guard | Choice


def parse(template: str) -> tuple[Node, ...]:
    """A template as nodes. Raises ValueError if its brackets don't match."""
    levels = [[[]]]  # the open brackets, each with its options so far
    for piece in filter(None, MARKS.split(template)):
        if piece == "[":
            levels.append([[]])
        elif piece == "|":
            levels[-1].append([])
        elif piece != "]":
            levels[-1][-1].append(mark(piece[1:-1]) if piece[0] == "{" else piece)
        elif len(levels) > 1:
            options = levels.pop()
            levels[-1][-1].append(choice(options))
        else:
            raise ValueError(f"']' without '[' in {template!r}")
    if len(levels) > 1 or len(levels[0]) > 1:
        raise ValueError(f"'[' without ']', or '|' without either, in {template!r}")
    return tuple(levels[0][0])


def mark(words: str) -> Node:
    """What stands in braces, as a node."""
    key, equals, value = words.partition("=")
    if not equals:
        form, _, key = words.rpartition(" ")
        return Name(key.lower(), form.lower(), words[0].isupper())
    return Guard(key[1:], (value,)) if key[0] == "?" else Fact(key, value)


def choice(options: Iterable[Sequence[Node]]) -> Choice:
    options = tuple(map(tuple, options))
    guarded = any(isinstance(node, Guard) for option in options for node in option)
    return Choice(options, guarded, len({*options}) < len(options))


def one_of(templates: Iterable[str]) -> Choice:
    return choice(map(parse, templates))


def capitalized(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The same with a capital letter where its text begins."""
    for i, node in enumerate(nodes):
        if isinstance(node, str):
            return (*nodes[:i], node[0].upper() + node[1:], *nodes[i + 1 :])
        if isinstance(node, Name):
            return (*nodes[:i], node._replace(capital=True), *nodes[i + 1 :])
        if isinstance(node, Choice):
            return (*nodes[:i], choice(map(capitalized, node.options)), *nodes[i + 1 :])
    return nodes


def episode(name: str, plot: dict, free: bool = False) -> tuple[Node, ...]:
    """A plot as nodes: when it may happen, how it starts, and how it goes on, well or badly.

    If `free`, it may happen twice, and to things to which it just does not happen in the Tales.
    """
    nodes: list[Node] = [] if free else [Guard("new", (name,))]
    if "only" in plot or ("things" in plot and not free):
        nodes.append(Guard("thing", tuple(plot.get("only") or plot["things"])))
    if "one" in plot:  # it is about the thing: a child must have it
        nodes += [Guard("holder", ("hero", "friend")), Fact("one", plot["one"])]
    ends = {
        outcome: [Fact("outcome", outcome), one_of(plot[outcome])] for outcome in ("good", "bad")
    }
    if "lost" in plot:
        ends["bad"].append(Fact("holder", plot["lost"]))
    return (Fact("plot", name), *nodes, one_of(plot["start"]), " ", choice(ends.values()))


def templates(source: dict) -> Iterator[str]:
    """All templates of a world, as they are written."""
    for options in (*source["phrases"].values(), *source.get("unread", {}).values()):
        yield from options
    for plot in source["plots"].values():
        yield from (*plot["start"], *plot["good"], *plot["bad"], *plot["why"].values())


def names(nodes: Iterable[Node]) -> Iterator[Name]:
    """All names in a sequence of nodes, also those within its choices."""
    for node in nodes:
        if isinstance(node, Name):
            yield node
        elif isinstance(node, Choice):
            for option in node.options:
                yield from names(option)


def check_names(source: dict, known: Collection[str], forms: Collection[str]) -> None:
    """Raises ValueError on a name in a template that a world does not know."""
    for template in templates(source):
        for node in names(parse(template)):
            if node.key not in known or (node.form and node.form not in forms):
                name = f"{node.form} {node.key}".strip()
                raise ValueError(f"{{{name}}} is unknown, in the template {template!r}")
