"""The first use of a glossary's word in a chapter links to its entry, and the link says what it is.

A word in bold is linked where it is introduced; other terms at their first use in the prose, if
they cannot be taken for a word of every day. The entry stands in the link's `title`, which
`cards.js` shows on a card.
"""

import re
import tomllib
from pathlib import Path

from docutils import nodes

GLOSSARY = "book/glossary"
ROOT = Path(__file__).resolve().parents[2]
CHAPTER = re.compile(r"notebooks/[\dAB]\w*$")
SKIPPED = (
    nodes.title,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.reference,
    nodes.raw,
    nodes.caption,
    nodes.table,
)
EVERYDAY = """Adam accuracy batch block body bottleneck byte channel chunk decode encode epoch
    frozen head hook input interval key label loss memorizing merge module nat parameter preferences
    prompt query rank recall precision seed shape shortcut stride surprise Tales target threshold
    token value vocabulary window retrieval concatenate position calibration adapter tensor
    F1"""


def synonyms() -> dict[str, list[str]]:
    """What else a term is called: {term: other words}."""
    return tomllib.loads((ROOT / "book" / "synonyms.toml").read_text(encoding="utf-8"))


def folded(word: str) -> str:
    """A word as it is compared: small, with spaces, without the plural's s."""
    word = re.sub(r"[\s-]+", " ", word.strip(" .,:").lower())
    return re.sub(r"(?<=[a-z]{3})(?<![su])s$", "", word)


def entries(app) -> dict[str, tuple[str, str]]:
    """{term: (id in the glossary, what its entry says)}; read once."""
    if not hasattr(app, "glossary_entries"):
        app.glossary_entries = {}
        if GLOSSARY in app.env.found_docs:
            for item in app.env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
                about = " ".join(item[-1].astext().split())
                for term in item.findall(nodes.term):
                    app.glossary_entries[term.astext()] = term["ids"][0], about
    return app.glossary_entries


def link(address: str, about: str, words: str, bold: bool = False) -> nodes.reference:
    inside = nodes.strong(words, words) if bold else nodes.Text(words)
    return nodes.reference(
        "", "", inside, internal=True, refuri=address, reftitle=about, classes=["lm-term"]
    )


def prose(doctree):
    """The texts of paragraphs, without titles, code, links and tables."""
    for text in doctree.findall(nodes.Text):
        above, inside = text.parent, False
        while above is not None and not isinstance(above, SKIPPED):
            inside = inside or isinstance(above, nodes.paragraph)
            above = above.parent
        if above is None and inside:
            yield text


def of_bold(doctree, names: dict[str, str]):
    """(term, text) of words that the chapter introduces in bold."""
    for text in list(prose(doctree)):
        if isinstance(text.parent, nodes.strong) and folded(text) in names:
            yield names[folded(text)], text


def link_bold(doctree, names, address) -> set[str]:
    done = set()
    for term, text in of_bold(doctree, names):
        if term not in done:
            done.add(term)
            text.parent.replace_self(link(*address(term), str(text), bold=True))
    return done


def link_plain(doctree, terms, address) -> None:
    """The first use in prose of each term that is not in bold anywhere."""
    left = {term.lower(): term for term in terms}
    while left:
        longest = sorted(map(re.escape, left), key=len, reverse=True)
        pattern = re.compile(rf"\b({'|'.join(longest)})(?:s|es)?\b", re.I)
        found = next(((t, m) for t in prose(doctree) if (m := pattern.search(t))), None)
        if found is None:
            return
        text, match = found
        words = link(*address(left.pop(match[1].lower())), match[0])
        parts = [nodes.Text(text[: match.start()]), words, nodes.Text(text[match.end() :])]
        text.parent.replace(text, [part for part in parts if part.astext()])


def resolve(app, doctree, docname) -> None:
    if app.builder.format != "html" or not CHAPTER.match(docname):
        return
    known = entries(app)
    names = {folded(term): term for term in known}
    for term, others in synonyms().items():
        for other in others if term in known else ():
            names.setdefault(folded(other), term)
    to_glossary = app.builder.get_relative_uri(docname, GLOSSARY)

    def address(term):
        return f"{to_glossary}#{known[term][0]}", known[term][1]

    done = link_bold(doctree, names, address)
    link_plain(doctree, set(known) - done - set(EVERYDAY.split()), address)


def setup(app) -> dict:
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
