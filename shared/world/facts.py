"""What has happened in a story so far: facts, by name, and how they come and go."""

from collections.abc import Collection

from shared.world.templates import Fact, Guard

Facts = dict[str, str]
CHILDREN = ("hero", "friend", "one", "two", "home")  # facts that are a child's name
GIVEN = ("hero", "friend", "thing", "color", "where")  # what a story may be asked to have


def known(key: str, facts: Facts) -> str | None:
    """The value of a fact, if there is one. {two} is the child that is not {one}."""
    if key == "two" and "one" in facts:
        return facts["friend" if facts["one"] == facts["hero"] else "hero"]
    return facts.get(key)


def drawn(key: str, value: str, facts: Facts) -> Facts:
    """The facts after a first mention; who {two} is says who {one} is."""
    if key == "two":
        return facts | {"one": facts["friend" if value == facts["hero"] else "hero"]}
    return facts | {key: value}


def holds(guard: Guard, facts: Facts) -> bool:
    """Whether a fact has one of a guard's values; {?new=...}: a plot that was not told yet."""
    if guard.key == "new":
        return f" {guard.values[0]} " not in facts["plots"]
    return known(guard.key, facts) in [known(value, facts) or value for value in guard.values]


def changed(fact: Fact, facts: Facts, local: Collection[str]) -> Facts:
    """The facts after {fact=value}; a new plot forgets the `local` ones of the last."""
    if fact.key == "plot":
        facts = {key: value for key, value in facts.items() if key not in local}
        return facts | {"plot": fact.value, "plots": f"{facts['plots']}{fact.value} "}
    if not fact.value:
        return {key: value for key, value in facts.items() if key != fact.key}
    return facts | {fact.key: " ".join(known(word, facts) or word for word in fact.value.split())}
