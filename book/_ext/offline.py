"""Nothing on the site comes from another host: mathematics from our own copy, no remote kernels."""

from importlib.util import find_spec
from pathlib import Path
from shutil import copytree

FONTS = "output/chtml/fonts/woff-v2"


def copy_mathjax(app, error) -> None:
    """Copy the one script and the fonts that it uses, out of the 24 MB of the package."""
    if error is None and app.builder.format == "html":
        package = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
        target = Path(app.outdir) / "_static" / "mathjax"
        copytree(package / FONTS, target / FONTS, dirs_exist_ok=True)
        (target / "tex-chtml.js").write_bytes((package / "tex-chtml.js").read_bytes())


def no_thebe(app, config) -> None:
    """sphinx-thebe writes its settings, with the address of a script, into every page."""
    for listeners in app.events.listeners.values():
        listeners[:] = [
            listener for listener in listeners if listener.handler.__module__ != "sphinx_thebe"
        ]


def setup(app) -> dict:
    app.connect("config-inited", no_thebe, priority=900)
    app.connect("build-finished", copy_mathjax)
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
