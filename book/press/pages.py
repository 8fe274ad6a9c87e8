"""The pages of the built site, in order, as a browser has set them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
LEFT_OUT = {"book/play", "book/code"}  # a page that runs, and a reference of many pages
READY = "() => document.fonts.ready.then(() => 1)"
TAKE = """() => {
    const article = document.querySelector('article.bd-article').cloneNode(true);
    const drop = ['script', 'style', 'noscript', 'link', 'button', '.headerlink', '.lm-way',
        'input', '.lm-opening', '.lm-play', '.lm-doors', '.lm-solution', '.lm-frame[hidden]',
        'details.hide', '.lm-note'];
    for (const one of article.querySelectorAll(drop.join())) one.remove();
    for (const fold of article.querySelectorAll('details')) fold.open = true;
    for (const one of article.querySelectorAll('[tabindex], [aria-describedby]')) {
        one.removeAttribute('tabindex');
        one.removeAttribute('aria-describedby');
    }
    const styles = [...document.querySelectorAll('style')].map(e => e.textContent).join('');
    return [document.querySelector('h1').childNodes[0].textContent.trim(),
        new XMLSerializer().serializeToString(article), styles];
}"""


@dataclass(frozen=True)
class Page:
    name: str
    title: str
    text: str
    styles: str


def names() -> list[str]:
    """The pages of the book in the order of the contents."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [entry["file"] for part in contents["parts"] for entry in part["chapters"]]
    return [name for name in [contents["root"], *files] if name not in LEFT_OUT]


def chromium() -> str | None:
    """Where the system's Chromium is, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def browser() -> Iterator:
    """The system's Chromium. Raises FileNotFoundError where there is none."""
    found = chromium()
    if found is None:
        raise FileNotFoundError("no Chromium here: install it to make the book's files")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()


def collect(running, chosen: list[str] | None = None) -> list[Page]:
    """The pages as they stand in the browser, in light and on a desktop."""
    tab, pages = running.new_page(viewport={"width": 1000, "height": 800}), []
    for name in chosen or names():
        tab.goto((SITE / f"{name}.html").as_uri())
        tab.wait_for_function(READY)
        pages.append(Page(name, *tab.evaluate(TAKE)))
    tab.close()
    return pages
