"""Style sheets cut down to the rules that some page, or some script, can have a use for.

A rule stays if every class in its selector is a word of a page or of a script. That is generous,
as a word need not be a class there, and it needs no list of what the theme may add.
"""

import re
from collections.abc import Iterator

PART = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[{};]')
GROUP = re.compile(r":(?:is|where|has|not|nth-\w+|lang)\((?:[^()]|\([^()]*\))*\)")
CLASS = re.compile(r"\.((?:[\w-]|\\.)+)")
COMMA = re.compile(r",(?![^(]*\))")


def blocks(css: str) -> Iterator[tuple[str, str | None]]:
    """(selector or at-rule, what stands in its braces; None if it has none)."""
    start = inside = depth = 0
    for part in PART.finditer(css):
        if part[0] == "{":
            depth += 1
            if depth == 1:
                inside = part.end()
        elif part[0] == "}":
            depth -= 1
            if depth == 0:
                yield css[start : inside - 1].strip(), css[inside : part.start()]
                start = part.end()
        elif part[0] == ";" and depth == 0:
            yield css[start : part.start()].strip(), None
            start = part.end()


def of_use(selector: str, words: set[str]) -> bool:
    classes = CLASS.findall(GROUP.sub("", selector))
    return all(name.replace("\\", "") in words for name in classes)


def lean(css: str, words: set[str]) -> str:
    css, kept = re.sub(r"/\*.*?\*/", "", css, flags=re.S), []
    for head, body in blocks(css):
        if body is None:
            kept.append(f"{head};")
        elif head.startswith(("@media", "@supports", "@layer", "@container")):
            if inner := lean(body, words):
                kept.append(f"{head}{{{inner}}}")
        elif head.startswith("@"):
            kept.append(f"{head}{{{body}}}")
        elif selectors := [one for one in COMMA.split(head) if of_use(one, words)]:
            kept.append(f"{','.join(selectors)}{{{body}}}")
    return "".join(kept)
