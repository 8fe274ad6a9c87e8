"""A built site, served on this machine, and a browser to look at it."""

import functools
import http.server
import re
import threading
from contextlib import ExitStack, contextmanager
from urllib.parse import urlparse

import pytest

from book.press.pages import chromium
from tests.notebooks import CHAPTERS, ROOT
from tests.site.play import load, route, write_stand_in

SITE = ROOT / "_build" / "html"
PREFIX = urlparse(re.search(r"baseurl: (\S+)", (ROOT / "_config.yml").read_text())[1]).path
READY = "() => document.fonts.ready.then(() => true)"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the site below its prefix, /book/, as its public address does."""

    def translate_path(self, path):
        return super().translate_path(path.removeprefix(PREFIX.rstrip("/")))

    def send_error(self, code, message=None, explain=None):
        """What is not there is answered by the book's own page, as on the public host."""
        page = (SITE / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *arguments):
        pass


def read_through(page):
    """Scroll to the end and back: what is far away from a reader is not yet laid out."""
    page.evaluate("""async () => {
        const soon = () => new Promise(then => requestAnimationFrame(() => setTimeout(then)));
        for (let y = 0; y < document.documentElement.scrollHeight; y += 1500) {
            scrollTo({top: y, behavior: "instant"});
            await soon();
        }
        scrollTo({top: 0, behavior: "instant"});
        await soon();
    }""")


@pytest.fixture(scope="session")
def site():
    """The address of the site. Skips where it has not been built."""
    if not (SITE / "index.html").is_file():
        pytest.skip("the site is not built: make book")
    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX.rstrip('/')}"
        server.shutdown()


@pytest.fixture(scope="session")
def launch():
    """launch(**options) -> the system's Chromium. Skips where there is none."""
    found = chromium()
    if found is None:
        pytest.skip("no Chromium here: install it to look at the site")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        start = playwright.chromium.launch
        yield functools.partial(start, executable_path=found, args=["--no-sandbox"])


@pytest.fixture(scope="session")
def browser(launch):
    with launch() as running:
        yield running


@pytest.fixture(scope="session")
def contexts(browser):
    """One browser window for each width and scheme, so that scripts and fonts are loaded once."""

    @functools.cache
    def context(width, scheme):
        return browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
        )

    return context


@contextmanager
def visit(site, context, path):
    """A loaded page, with `page.asked` for all its requests; closed at the end."""
    page = context.new_page()
    page.asked, page.errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.answer = page.goto(f"{site}/{path}")
    page.wait_for_function(READY)
    yield page
    page.close()


@pytest.fixture
def open_page(site, contexts):
    """open_page(path, width, scheme) -> a visited page."""
    with ExitStack() as visits:
        yield lambda path, width=1280, scheme="light": visits.enter_context(
            visit(site, contexts(width, scheme), path)
        )


@pytest.fixture(scope="module", params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request, site, contexts):
    """A chapter on a desktop, visited once for all tests of a file that look at each chapter."""
    with visit(site, contexts(1280, "light"), f"notebooks/{request.param.stem}.html") as page:
        page.stem = request.param.stem
        yield page


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory):
    """A folder with a small model that is quick to load."""
    return write_stand_in(tmp_path_factory.mktemp("stand-in"))


@pytest.fixture
def play(site, contexts, stand_in):
    """play(width, path) -> a page with the stand-in, loaded."""
    pages = []

    def open_and_load(width=1280, path="book/play.html", scheme="light"):
        page = contexts(width, scheme).new_page()
        pages.append(page)
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        route(page, stand_in / "model.js")
        page.goto(f"{site}/{path}")
        return load(page)

    yield open_and_load
    for page in pages:
        assert page.errors == []
        page.close()
