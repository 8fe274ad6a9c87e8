"""Make slides of notebooks:  python -m tests.slides 03  (or any part of a path).

A section (##) begins a column of slides; each paragraph, and each piece of code with its output,
is one slide. They need no network: reveal.js and MathJax come from packages and lie beside them.
"""

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from tests.notebooks import CHAPTERS, ROOT, tags

REVEAL = Path(find_spec("sphinx_revealjs").origin).parent / "_static" / "revealjs"
MATHJAX = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
OPTIONS = {
    "HTMLExporter": {"exclude_input_prompt": True, "exclude_output_prompt": True},
    "TagRemovePreprocessor": {"enabled": True, "remove_input_tags": ["hide-input"]},
}
PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="reveal/dist/reveal.css">
<link rel="stylesheet" href="reveal/dist/theme/white.css">
<style>{style}</style>
<script>MathJax = {{tex: {{inlineMath: [["$", "$"]]}}, svg: {{fontCache: "none"}}}}</script>
<script defer src="mathjax/tex-svg.js"></script></head>
<body><div class="reveal"><div class="slides">{columns}</div></div>
<script src="reveal/dist/reveal.js"></script><script src="reveal/plugin/notes/notes.js"></script>
<script>
const fit = ({{currentSlide: slide}}) => {{  // none is higher than the screen, and no line is cut
  const whole = slide.firstElementChild;
  whole.style.zoom = 1;
  const parts = [whole, ...whole.querySelectorAll("pre, table")];
  const fits = parts.map((part) => part.clientWidth / part.scrollWidth);
  whole.style.zoom = Math.min(1, 690 / whole.offsetHeight, ...fits.filter((share) => share > 0));
}};
Reveal.initialize({{width: 1280, height: 720, margin: 0.02, center: true, hash: true,
  slideNumber: "c/t", transition: "none", plugins: [RevealNotes]}});
Reveal.on("ready", fit);
Reveal.on("slidechanged", fit);
addEventListener("load", () => fit({{currentSlide: Reveal.getCurrentSlide()}}));
</script></body></html>
"""
STYLE = """
.reveal { font-size: 30px; text-align: left; }
.reveal .slides { text-align: left; }
.reveal pre { width: 100%; box-sizing: border-box; margin: 0.4em 0; box-shadow: none;
  font-size: 20px; line-height: 1.35; }
.reveal .highlight pre { background: #f5f6f8; padding: 0.6em 0.8em; border-radius: 6px; }
.reveal table { font-size: 0.8em; } .reveal h1, .reveal h2 { text-transform: none; }
.reveal h1 { font-size: 2em; } .reveal h2 { font-size: 1.6em; }
.reveal .slides section { padding: 0; } .anchor-link { display: none; }
.reveal figure { margin: 0 auto; max-width: 960px; }
.reveal .lm-figure svg { width: 100%; max-height: 520px; }
"""


def begins(cell) -> str:
    """What a cell begins: a column of slides, a slide, or nothing, as the setup does."""
    if "bootstrap" in tags(cell):
        return ""
    return "column" if cell.source.startswith(("# ", "## ")) else "slide"


def slides(notebook) -> list[list[str]]:
    """The slides of each column, as HTML."""
    exporter = HTMLExporter(template_name="basic", config=Config(OPTIONS))
    columns = []
    for cell in notebook.cells:
        if not (kind := begins(cell)):
            continue
        part = nbformat.v4.new_notebook(cells=[cell], metadata=notebook.metadata)
        html, _ = exporter.from_notebook_node(part)
        if kind == "column" or not columns:
            columns.append([])
        columns[-1].append(f"<section><div>{html}</div></section>")
    return columns


def make(path: Path, folder: Path = ROOT / "_build" / "slides") -> Path:
    """Write the slides of a notebook, outputs as they are stored, and say where."""
    notebook = nbformat.read(path, as_version=4)
    for package, name in ((REVEAL, "reveal"), (MATHJAX, "mathjax")):
        copytree(package, folder / name, dirs_exist_ok=True)
    styles = [HtmlFormatter(style="default").get_style_defs(".highlight"), STYLE]
    book = (ROOT / "book" / "_static" / "book.css").read_text(encoding="utf-8")
    page = PAGE.format(
        title=re.sub("^# ", "", notebook.cells[0].source.partition("\n")[0]),
        style="\n".join([book, *styles]),
        columns="\n".join(f"<section>{''.join(column)}</section>" for column in slides(notebook)),
    )
    (made := folder / f"{path.stem}.slides.html").write_text(page, encoding="utf-8")
    return made


if __name__ == "__main__":
    chosen = [path for path in CHAPTERS if any(part in path.name for part in sys.argv[1:])]
    if not chosen:
        sys.exit(f"no chapter of that name: {', '.join(sys.argv[1:]) or 'say which, as NB=03'}")
    for path in chosen:
        print(f"The slides are at file://{make(path)}")
