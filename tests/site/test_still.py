"""A page stands still while it loads: neither its scroll bar nor its letters push it about."""

import re

import pytest

from tests.notebooks import CHAPTERS
from tests.site.conftest import SITE

PATH = f"notebooks/{CHAPTERS[2].stem}.html"
LEFT = "document.querySelector('main').getBoundingClientRect().left"
BAR = "innerWidth - document.documentElement.clientWidth"


def answer_with(body):
    return lambda route: route.fulfill(body=body, content_type="text/html")


def test_a_page_has_its_scroll_bar_from_the_beginning(site, launch):
    """As a reader's browser shows it; tests usually go without."""
    whole = (SITE / PATH).read_text(encoding="utf-8")
    answers, seen = {"beginning": whole[: whole.index("</h1>")], "whole": whole}, {}
    with launch(ignore_default_args=["--hide-scrollbars"]) as browser:
        for name, body in answers.items():
            page = browser.new_page(viewport={"width": 1350, "height": 940})
            page.route(f"**/{PATH}", answer_with(body))
            page.goto(f"{site}/{PATH}")
            seen[name] = page.evaluate(f"[{LEFT}, {BAR}, document.body.scrollHeight > 2000]")
    (left, bar, long), beginning = seen["whole"], seen["beginning"]
    assert long and bar > 0 and beginning == [left, bar, False]


@pytest.mark.parametrize("path", [PATH, "index.html", "book/cluster.html"])
def test_letters_of_running_text_are_asked_for_at_once(open_page, path):
    """Else lines are broken anew when a font comes late."""
    page = open_page(path)
    early = "all => all.map(link => link.href)"
    early = set(page.locator("head link[rel=preload][as=font]").evaluate_all(early))
    asked = {url for url in page.asked if re.search(r"fonts/(sans|serif)[\w-]*\.woff2", url)}
    assert len(asked) >= 2 and early == asked
