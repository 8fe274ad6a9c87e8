"""The numbers in the prose of the pages beside the notebooks: each is in code, or is cited."""

import re

import nbformat
import pytest

from shared.model import TALES
from tests.book import rules
from tests.notebooks import CHAPTERS, ROOT

BOOK = ROOT / "book"
PAGES = sorted(p for p in BOOK.rglob("*.md") if "_static" not in p.parts)
STAND_IN = {  # where the numbers of a page stand; of a lesson plan in its chapter, see below
    "how-checked.md": ["notebooks/04_gpt.ipynb"],
    "notation.md": ["shared/model/config.py", "notebooks/05_pretraining.ipynb"],
    "play.md": [
        "shared/model/config.py",
        "book/_ext/page_model.py",
        "notebooks/05_pretraining.ipynb",
    ],
    "serving.md": ["shared/serving/*.py", "shared/practice/serve.py"],
    "setup.md": ["Makefile"],
    "teaching/index.md": ["book/teaching/lessons.md"],
}
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)


def numbers_in_file(path) -> set[str]:
    if path.suffix == ".ipynb":
        return rules.numbers_of(nbformat.read(path, 4))
    return rules.numbers_in(path.read_text(encoding="utf-8"), least=1)


def own_code(text: str) -> set[str]:
    """The numbers in the commands that a page shows."""
    return rules.numbers_in("\n".join(CODE.findall(text)), least=1)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(BOOK)))
def test_numbers_of_a_page(page):
    text = page.read_text(encoding="utf-8")
    if page.name == "lessons.md":
        pytest.skip("each plan is compared with its own chapter")
    if page.name == "speed.md":
        pytest.skip("compared with what was measured, in tests/test_speed_table.py")
    known = own_code(text)
    for pattern in STAND_IN.get(page.relative_to(BOOK).as_posix(), []):
        paths = sorted(ROOT.glob(pattern))
        assert paths, f"there is no {pattern}"
        known = known.union(*map(numbers_in_file, paths))
    found = list(rules.unproved(text, known))
    assert not found, "\n".join(found)


def lessons() -> dict[str, str]:
    """The lesson plans by the numbers of their chapters; what stands before them is ""'s."""
    text = (BOOK / "teaching" / "lessons.md").read_text(encoding="utf-8")
    before, *plans = re.split(r"^## (?=[\dA-B]+\. )", text, flags=re.M)
    return {"": before} | {plan.partition(".")[0]: plan for plan in plans}


@pytest.mark.parametrize("number", lessons())
def test_numbers_of_a_lesson(number):
    chapters = [p for p in CHAPTERS if rules.chapter_number(p) == number]
    assert len(chapters) == bool(number)
    known = own_code(lessons()[number]).union({"90"}, *map(numbers_in_file, chapters))
    found = list(rules.unproved(lessons()[number], known))
    assert not found, "\n".join(found)


def test_the_notation_has_the_sizes_of_the_model():
    table = (BOOK / "notation.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"^\| ([BTCHDLV]) \|.*\| ([\d,]+) \|$", table, re.M))
    sizes = {letter: int(size.replace(",", "")) for letter, size in found.items()}
    assert sizes.pop("B") == 8  # as chapter 5 trains it
    assert sizes == {
        "T": TALES.context_length,
        "C": TALES.d_model,
        "H": TALES.n_heads,
        "D": TALES.d_model // TALES.n_heads,
        "L": TALES.n_layers,
        "V": TALES.vocab_size,
    }


@pytest.mark.parametrize(
    ("text", "accused"),
    [
        ("It has 417 parts.", ["417"]),
        ("It has 41 parts.", ["41"]),
        ("Step 3.25 of `3.25`.", ["3.25"]),
        ("| 61 | 75% |", ["61", "75"]),
        ("It is 58 % of all.", ["58"]),
        ("A source ([Lee, 2011](https://a.b)) says 41. Nobody says 43.", []),
        ("Somebody says 43. A source ([Lee, 2011](https://a.b)) says 41.", ["43"]),
        ("[One](https://a.b) says 41. It says 43. We say 47.", ["47"]),
        ("- [One](https://a.b) says 41.\n- We say 43.", ["43"]),
        ("[Chapter 3](03.ipynb) has 41 cells.", ["41"]),
        ("About 1.3 million.", []),
        ("Section 12.25, figures 3.11 and 3.12, in 1908, of 2024 ([Lee](l.md), 2011).", []),
        (r"By formula (5.12), $$p = 1.25 \tag{5.13}$$", ["1.25"]),
        ("## 4.12 A heading\n\n12. A list.", []),
        ("**3.11 An exercise** (45 minutes).\n\n| 10-25 | tokens |", []),
        ("See 04_gpt.ipynb and `x = 41`.", []),
        ("About 12 percent and 13%, 0.125 or 0.1250.", ["0.1250"]),
    ],
)
def test_what_is_accused(text, accused):
    known = {"12", "0.134", "1327104", "0.1249", "0.1254"}
    assert [found.split()[0] for found in rules.unproved(text, known)] == accused
