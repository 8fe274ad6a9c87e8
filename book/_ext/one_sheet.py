"""One style sheet for each page instead of ten, and scripts that do not hold it up."""

import functools
import posixpath
import re
from pathlib import Path

SHEET = re.compile(r'\s*<link [^>]*href="([^":]*)_static/([^"?]+\.css)[^"]*"[^>]*>')
# After one of these the page goes on: the others only set what inline scripts read.
WAITING = "doctools|sphinx_highlight|clipboard|copybutton|sphinx-book-theme|search|language_data"
LATER = re.compile(rf'<script (src="(?:[^"]*/)?(?:{WAITING}))')
URL = re.compile(r"""url\((["']?)(?!data:|#|["'])([^)"']+)\1\)""")
BASIC = re.compile(r'@import "\.\./basic\.css";')
CHARSET = re.compile(r'@charset "[^"]*";')  # which only a file may begin with


def with_own_paths(css: str, name: str) -> str:
    """A sheet of the folder _static, with the paths as they are seen from that folder itself."""
    folder = posixpath.dirname(name)
    return URL.sub(lambda one: f'url("{posixpath.normpath(posixpath.join(folder, one[2]))}")', css)


@functools.cache
def joined(static: Path, names: tuple[str, ...]) -> str:
    """The address of one sheet that holds all of these, in their order, and is written.

    Its name goes by their names, so that a page from somebody's cache finds the sheet of today.
    """
    from shared.book.picture import digest

    def read(name):
        css = CHARSET.sub("", (static / name).read_text(encoding="utf-8"))
        return BASIC.sub(lambda _: read("basic.css"), with_own_paths(css, name))

    css = "\n".join(map(read, names))
    path = static / f"all.{digest(' '.join(names))}.css"
    path.write_text(css, encoding="utf-8")
    return f"{path.name}?v={digest(css)}"


def quicker(page: str, static: Path) -> str:
    """A page with all sheets of its head in one, and with its scripts behind its text."""
    head = page.find("</head>")
    if found := list(SHEET.finditer(page, 0, max(0, head))):
        sheet = f"{found[0][1]}_static/{joined(static, tuple(one[2] for one in found))}"
        page = SHEET.sub("", page[: found[-1].end()]) + page[found[-1].end() :]
        place = found[0].start()
        page = f'{page[:place]}\n<link rel="stylesheet" href="{sheet}" />{page[place:]}'
    return LATER.sub(r"<script defer \1", page)


def finish(app, error) -> None:
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for path in (one for one in out.rglob("*.html") if "_static" not in one.parts):
        page = path.read_text(encoding="utf-8")
        path.write_text(quicker(page, out / "_static"), encoding="utf-8")


def setup(app) -> dict:
    app.connect("build-finished", finish, priority=900)  # behind what makes the sheets smaller
    return {"parallel_read_safe": True, "parallel_write_safe": True}
