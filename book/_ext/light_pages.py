"""Pages that load what they use: a handful of icons, not 4,000; no script without work."""

import re
from io import BytesIO
from pathlib import Path
from shutil import rmtree

import pydata_sphinx_theme
from fontTools import subset
from lean_styles import lean
from sphinx.util import logging

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static"
CSS, FONTS = "styles/pydata-sphinx-theme.css", "vendor/fontawesome/webfonts"
FROM_SCRIPTS = {"fa-xmark"}  # icons that the theme's scripts add
ICON = re.compile(r'((?:\.fa-[\w-]+:+before,?)+)\{content:"\\([0-9a-f]+)"\}')
BY_STYLE = re.compile(r'--pst-icon-[\w-]+:"(.)"')  # icons that the theme's styles add
SOURCES = re.compile(r'url\([^)]*/([\w-]+)\.woff2\) format\("woff2"\),url\([^)]*\)[^;}]*')

MEASURED = re.compile(
    r'"complete"===document\.readyState\?(\w+)\(\):window\.addEventListener\("load",\1\)'
)
SCRIPT = r'\s*<(?:script|link)\b[^>]*(?:src|href)="[^"]*{}[^"]*"[^>]*>(?:</script>)?'
ICON_SCRIPT = SCRIPT.format(r"scripts/fontawesome\.js")
SEARCH = SCRIPT.format(r"(?:searchtools|language_data|searchindex)\.js")
UNUSED = {  # files that the theme puts on every page, and the classes that they are for
    r"(?:sphinx-design\.min\.css|design-tabs\.js)": r"sd-",
    r"togglebutton\.(?:css|js)": r"toggle[ \"]|admonition [^\"]*dropdown",
}

FIRST_SHEET = re.compile(r'<link [^>]*href="([^"]*_static/)[^"]*" rel="stylesheet" />')
PRELOAD = '<link rel="preload" href="{}fonts/{}.woff2" as="font" type="font/woff2" crossorigin />'
# the fonts of running text, and what on a page asks for them
AT_ONCE = {"serif": "<p", "sans": "<h1", "serif-italic": "<em>|lm-written"}
AUTO = 'document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";'
KNOWN = """document.documentElement.dataset.theme =
      (localStorage.getItem("mode") || "auto") !== "auto" ? localStorage.getItem("theme") || "light"
      : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";"""


def lighter(page: str, name: str) -> str:
    """A page without the scripts that it has no use for."""
    page = re.sub(ICON_SCRIPT, "", page).replace(AUTO, KNOWN)
    fonts = [font for font, user in AT_ONCE.items() if re.search(user, page)]
    page = FIRST_SHEET.sub(
        lambda found: "".join(PRELOAD.format(found[1], font) for font in fonts) + found[0],
        page,
        count=1,
    )
    if name != "search.html":
        page = re.sub(SEARCH, "", page)
    for files, kind in UNUSED.items():
        if not re.search(rf'class="(?:[^"]* )?(?:{kind})', page):
            page = re.sub(SCRIPT.format(files), "", page)
    return page


def icon_font(font: str, codes: set[int]) -> bytes:
    """The glyphs of one of the theme's fonts that the site shows."""
    options = subset.Options(flavor="woff", notdef_outline=True)
    whole = subset.load_font(str(THEME / FONTS / f"{font}.ttf"), options)
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=codes)
    chosen.subset(whole)
    subset.save_font(whole, file := BytesIO(), options)
    return file.getvalue()


def use_few_icons(static: Path, used: set[str]) -> None:
    """Cut the theme's style sheet and icon fonts down to the icons in use."""
    css, codes = (THEME / CSS).read_text(encoding="utf-8"), set()

    def keep(rule):
        if used.isdisjoint(re.findall(r"fa-[\w-]+", rule[1])):
            return ""
        codes.add(int(rule[2], 16))
        return rule[0]

    css = ICON.sub(keep, css)
    codes.update(map(ord, BY_STYLE.findall(css)))
    css = SOURCES.sub(rf'url(../{FONTS}/\1.woff) format("woff")', css)
    (static / CSS).write_text(re.sub(r"/\*# sourceMapping.*", "", css), encoding="utf-8")
    rmtree(static / FONTS, ignore_errors=True)
    (static / FONTS).mkdir(parents=True)
    for font in re.findall(rf"{FONTS}/([\w-]+)\.woff\)", css):
        (static / FONTS / f"{font}.woff").write_bytes(icon_font(font, codes))
    for unused in [static / "scripts/fontawesome.js", *static.rglob("*.map")]:
        unused.unlink(missing_ok=True)


def measure_later(static: Path) -> None:
    """The theme measures what may scroll when a page is loaded; book.js does so in idle time."""
    script = static / "scripts/pydata-sphinx-theme.js"
    code, found = MEASURED.subn("0", script.read_text(encoding="utf-8"))
    if found != 1:
        logging.getLogger(__name__).warning("%s is not the script that we know", script.name)
    script.write_text(re.sub(r"//# sourceMapping.*", "", code), encoding="utf-8")


def finish(app, error) -> None:
    if error or app.builder.format != "html":
        return
    out, used, words = Path(app.outdir), set(FROM_SCRIPTS), set()
    static = out / "_static"
    for path in out.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        used.update(re.findall(r"\bfa-[\w-]+", page))
        words.update(re.findall(r"[\w-]+", page))
        path.write_text(lighter(page, path.name), encoding="utf-8")
    use_few_icons(static, used)
    measure_later(static)
    for script in static.rglob("*.js"):
        if script.stat().st_size < 300_000:  # not the weights of a model, nor the index
            words.update(re.findall(r"[\w-]+", script.read_text(encoding="utf-8")))
    for sheet in (static / CSS, *static.glob("mystnb.*.css"), *static.glob("sphinx-design*.css")):
        sheet.write_text(lean(sheet.read_text(encoding="utf-8"), words), encoding="utf-8")


def setup(app) -> dict:
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
