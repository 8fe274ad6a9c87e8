"""The pages to look things up in: glossary, references and the code are complete."""

import ast
import re

import pytest

from shared import __path__ as shared_folder
from tests.notebooks import NOTEBOOKS, ROOT
from tests.site.conftest import SITE

GLOSSARY = ROOT / "book" / "glossary.md"
ENTRIES = re.findall(r"^(\S.*)\n  (\S.*(?:\n  \S.*)*)", GLOSSARY.read_text(encoding="utf-8"), re.M)


def built(page):
    if not (path := SITE / "book" / page).is_file():
        pytest.skip("the site is not built: make book")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("term, text", ENTRIES, ids=[term for term, _ in ENTRIES])
def test_a_term_links_to_where_it_is_taught(term, text):
    """That there is such a section is what the build and the test of links see to."""
    assert re.search(r"\]\(\.\./notebooks/\w+\.ipynb#[\w-]+\)\.$", text)


def test_the_glossary_is_in_order_and_whole():
    terms = [term for term, _ in ENTRIES]
    assert len(terms) > 50 and terms == sorted(terms, key=str.lower)
    assert built("glossary.html").count("<dt ") == len(terms)


def test_what_the_chapters_cite_is_among_the_references():
    references = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    cited = {
        paper
        for path in NOTEBOOKS
        for paper in re.findall(r"arxiv\.org/abs/[\d.]+\d", path.read_text(encoding="utf-8"))
    }
    assert len(cited) > 20
    assert sorted(paper for paper in cited if paper not in references) == []


def test_every_reference_is_listed_with_a_place_to_find_it():
    references = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    entries = re.findall(r"^@\w+\{(\w+),(.*?)^\}", references, re.M | re.S)
    assert len({key for key, _ in entries}) == references.count("\n@")
    assert [
        key for key, text in entries if not re.search(r"(url|doi) = |public domain", text)
    ] == []
    listed = re.findall(r'class="citation"', built("references.html"))
    assert len(listed) == len(entries)


def test_every_module_is_on_the_page_of_the_code():
    """In an order in which each stands behind those that it uses; all may use `book`."""
    page = built("code.html")
    files = {
        f"shared.{path.parent.name}.{path.stem}": path
        for folder in shared_folder
        for path in sorted((ROOT / folder).glob("*/[!_]*.py"))
    }
    place = {name: page.find(f'id="module-{name}"') for name in files}
    assert len(place) > 10 and min(place.values()) > 0
    assert "Alias for field" not in page  # Python's words, not ours
    for name, path in files.items():
        code = path.read_text(encoding="utf-8")
        for one in ast.parse(code).body:
            if isinstance(one, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(one):
                assert one.name[0] == "_" or f'id="{name}.{one.name}"' in page
        for used in re.findall(r"^from (shared\.[\w.]+) import", code, re.M):
            of_used = [place[other] for other in place if f"{other}.".startswith(f"{used}.")]
            assert used == "shared.book" or max(of_used) < place[name]
