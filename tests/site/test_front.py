"""The first page: promise, model and two doors at once; a card for each chapter; cards to share."""

import re

import pytest
from chapters import chapters

from tests.site.conftest import SITE
from tests.site.test_links import parsed
from tests.site.test_pages import every_page


def test_the_first_screen(open_page):
    page = open_page("book/intro.html")
    for part in (".lm-promise", ".lm-written", "#lm-beginning", "#lm-write"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= 800, part
    doors = page.locator(".lm-door")
    assert doors.count() == 2 and all(door.is_visible() for door in doors.all())
    assert "colab.research.google.com/github/" in doors.nth(1).get_attribute("href")
    assert len(page.locator(".lm-written").inner_text().split()) > 30


def test_a_card_for_each_chapter(open_page):
    page = open_page("book/intro.html")
    links = page.locator(".lm-card a").evaluate_all("all => all.map(e => e.getAttribute('href'))")
    assert links == [f"../{chapter.name}.html" for chapter in chapters()] and len(links) >= 7
    for card in page.locator(".lm-card").all():
        assert card.locator("svg").count() == 1 and "minutes" in card.inner_text()


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name[-10:])
def test_minutes(chapter):
    assert 25 <= chapter.minutes <= 75 and 20 <= chapter.exercise_minutes <= 240
    assert len(chapter.sections) >= 5


@every_page
def test_what_is_shared(path):
    """Each page has a title, a description and a picture of its own where it is shared."""
    if path.startswith(("search", "404", "_modules")):
        return
    about = parsed(SITE / path).about
    assert about["twitter:card"] == "summary_large_image" and about["og:title"]
    picture = re.sub(r"^https://[^/]+/[^/]+/", "", about["og:image"])
    assert (SITE / picture).is_file()


def test_the_front_door_has_a_card():
    door = parsed(SITE / "index.html")
    assert len(door.about["description"]) > 40 and door.about["og:image"].endswith(".png")
    title = re.search(r"<title>(.*?)</title>", (SITE / "book/intro.html").read_text())[1]
    assert title == "A Language Model of Your Own"
