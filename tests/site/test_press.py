"""The whole book on paper and as an EPUB: made here of two pages."""

import zipfile
from xml.etree import ElementTree

from book.press import epub, pdf
from book.press.links import relink, target
from book.press.pages import names
from tests.site.conftest import SITE

CHOSEN = ["book/notation", "notebooks/02_text_data"]


def test_links_between_pages():
    assert target("notebooks/02", "../book/intro.html#a") == ("book/intro", "a")
    assert target("notebooks/02", "#b") == ("notebooks/02", "b")
    text = '<a href="../book/intro.html#a">x</a><a href="other.html">y</a><a href="http://z">z</a>'
    made = relink("notebooks/02", text, {"book/intro"}, lambda page, place: f"{page}!{place}")
    assert made == '<a href="book/intro!a">x</a><a >y</a><a href="http://z">z</a>'


def test_all_chapters_are_in_it():
    assert names()[0] == "book/intro" and "notebooks/06_classification" in names()


def test_epub(site, browser, tmp_path):
    epub.make(browser, tmp_path / "book.epub", CHOSEN)
    with zipfile.ZipFile(tmp_path / "book.epub") as book:
        first = book.infolist()[0]
        assert first.filename == "mimetype" and first.compress_type == zipfile.ZIP_STORED
        assert book.read("book/cover.png").startswith(b"\x89PNG")
        texts = {n: book.read(n).decode() for n in book.namelist() if n.endswith("xhtml")}
    assert len(texts) == 4  # with contents and cover
    for text in texts.values():
        ElementTree.fromstring(text)
    chapter = texts["book/notebooks-02_text_data.xhtml"]
    assert "<math" in chapter and "<svg" in chapter and "<script" not in chapter
    assert "mjx-container" not in chapter and "_static" not in chapter


def test_pdf(site, browser, tmp_path):
    size = pdf.make(browser, tmp_path / "book.pdf", CHOSEN)
    content = (tmp_path / "book.pdf").read_bytes()
    assert size > 50_000 and content.startswith(b"%PDF") and b"/Outlines" in content
    assert not (SITE / "_press.html").exists()
