"""A world: which stories there are, and what may come next at any moment of one."""

from collections.abc import Sequence

from shared.world.facts import CHILDREN, GIVEN, Facts, changed, drawn, holds, known
from shared.world.templates import (
    ROLES,
    Choice,
    Fact,
    Guard,
    Name,
    Node,
    capitalized,
    check_names,
    choice,
    episode,
    one_of,
)

PRONOUNS = {"he": "she", "his": "her", "him": "her", "boy": "girl"}
END = "\0"  # what comes after the last sentence
Todo = tuple | None  # what is still to be told: (node, (node, ... None))


class World:
    """All stories of a split, as the templates of a source allow them.

    "held_out" tells of heroes with things that "train" never brings together, "unread" ends with a
    plot that no other split has, "any" allows all that makes sense: any pair, any plot, and twice.
    Raises ValueError on an unknown name.
    """

    def __init__(self, split: str, source: dict):
        self.split, lists, plots = split, source["lists"], source["plots"]
        self.lists = lists | source["local"] | {"child": lists["girls"] + lists["boys"]}
        self.girls, self.local = {*lists["girls"]}, {*source["local"], "one"}
        self.parts = {*source["parts"]}
        self.phrases = {name: one_of(options) for name, options in source["phrases"].items()}
        unread = [name for name in plots if plots[name].get("unread")]
        read = [name for name in plots if split == "any" or name not in unread]
        self.phrases["episode"] = choice(episode(n, plots[n], split == "any") for n in read)
        if split == "unread":
            self.phrases["last"] = choice(episode(name, plots[name]) for name in unread)
            self.phrases |= {name: one_of(options) for name, options in source["unread"].items()}
        for name, plot in plots.items():
            for outcome, template in plot["why"].items():
                self.phrases[f"why {name} {outcome}"] = one_of([template])
        self.capitals = {k: choice(map(capitalized, v.options)) for k, v in self.phrases.items()}
        self.start = ((Name("story"), (END, None)), {"plots": " "})
        self.known_heads = {}
        check_names(source, {*self.lists, *self.phrases, *CHILDREN, *ROLES}, PRONOUNS)

    def options(self, node: Node, facts: Facts) -> Sequence:
        """What a node may become, each as probable as the others: nodes, or a value for a fact."""
        if type(node) is Choice:
            if not node.guarded:
                return node.options
            return [option for option in node.options if self.fits(option, facts)]
        if type(node) is Name:
            if phrase := self.phrase(node, facts):
                return self.options(phrase, facts)
            value = known(node.key, facts)
            return self.values(node.key, facts) if value is None else (value,)
        return (node,)

    def take(self, node: Node, option, todo: Todo, facts: Facts) -> tuple[str, Todo, Facts]:
        """What an option says at once, what is to be told after it, and the facts from then on."""
        if type(option) is tuple:
            for part in reversed(option):
                todo = (part, todo)
            return "", todo, facts
        if type(node) is Name:
            facts = facts if known(node.key, facts) else drawn(node.key, option, facts)
            return self.words(node, option), todo, facts
        if type(node) is Fact:
            return "", todo, changed(node, facts, self.local)
        return node if type(node) is str else "", todo, facts

    def phrase(self, node: Name, facts: Facts) -> Choice | None:
        """The sentences or words that a name stands for, if it is not that of a fact."""
        key = f"why {facts['plot']} {facts['outcome']}" if node.key == "why" else node.key
        return (self.capitals if node.capital else self.phrases).get(key)

    def heads(self, choice: Choice) -> tuple[tuple[str, ...], ...]:
        """For each option the words that it may begin with, the longest first."""
        if id(choice) not in self.known_heads:
            found = (sorted({*self.head(o)}, key=len, reverse=True) for o in choice.options)
            self.known_heads[id(choice)] = tuple(map(tuple, found))
        return self.known_heads[id(choice)]

    def head(self, option: tuple[Node, ...]) -> list[str]:
        """The words that an option may begin with; an empty word if these may be any."""
        for node in option:
            if type(node) is str:
                return [node]
            if type(node) is Name:
                known_here = self.capitals if node.capital else self.phrases
                if node.key not in known_here:
                    return [self.words(node, value) for value in self.may_be(node.key)] or [""]
                node = known_here[node.key]
            if type(node) is Choice:
                return [word for words in self.heads(node) for word in words]
        return [""]

    def may_be(self, key: str) -> Sequence[str]:
        """All values that a fact may have, whatever has happened; none if they are no list."""
        return self.lists.get("child" if key in CHILDREN else key, ())

    def fits(self, option: tuple[Node, ...], facts: Facts) -> bool:
        return all(holds(node, facts) for node in option if type(node) is Guard)

    def words(self, node: Name, value: str) -> str:
        """A value as a name writes it: a pronoun, or with a capital letter."""
        if node.form:
            value = PRONOUNS[node.form] if value in self.girls else node.form
        return value[0].upper() + value[1:] if node.capital else value

    def values(self, key: str, facts: Facts) -> Sequence[str]:
        """What a fact may be that is mentioned for the first time."""
        if key in ("one", "two"):
            return facts["hero"], facts["friend"]
        values = self.may_be(key)
        if key in ("hero", "friend", "thing"):
            return [value for value in values if self.allowed(facts | {key: value})]
        return [value for value in values if value != facts.get("left")]

    def allowed(self, facts: Facts) -> bool:
        """Hero and friend are a boy and a girl, so that each pronoun has one owner.

        Every eighth pair of hero and thing is held out, and only those are told in that split.
        """
        children = [facts[key] in self.girls for key in ("hero", "friend") if key in facts]
        if len(children) == 2 and children[0] == children[1]:
            return False
        if self.split == "any" or not {"hero", "thing"} <= facts.keys():
            return True
        i = self.lists["child"].index(facts["hero"]) + self.lists["thing"].index(facts["thing"])
        return (i % 8 == 0) == (self.split == "held_out")

    def given(self, facts: Facts) -> Facts:
        """Facts that a story is asked to have. Raises ValueError on unknown or impossible ones."""
        for key, value in facts.items():
            values = self.may_be(key) if key in GIVEN else ()
            if value not in values:
                raise ValueError(
                    f"no story has {key}={value!r}; facts are {GIVEN}, values {values}"
                )
        if not self.allowed(facts):
            raise ValueError(f"no story of the split {self.split!r} has {facts}")
        return self.start[1] | facts
