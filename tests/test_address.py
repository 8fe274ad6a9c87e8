"""A fork gets its own address by one command, in every file."""

import subprocess

import pytest

from book.address import current, page_of, rename
from tests.notebooks import ROOT


def test_where_pages_are():
    assert page_of("Ada/notes") == "ada.github.io/notes"
    assert page_of("Ada/ada.github.io") == "ada.github.io"


@pytest.fixture
def fork(tmp_path):
    """A clone of what is committed here, by way of a bare repository."""
    for command in (
        ["clone", "-q", "--bare", str(ROOT), str(tmp_path / "bare")],
        ["clone", "-q", str(tmp_path / "bare"), str(tmp_path / "fork")],
    ):
        subprocess.run(["git", *command], check=True)
    return tmp_path / "fork"


@pytest.mark.parametrize("new", ["ada/notes", "ada/ada.github.io"])
def test_no_file_keeps_the_old_address(fork, new):
    old = current(ROOT)
    changed = rename(fork, new)
    assert "_config.yml" in changed and "notebooks/03_attention.ipynb" in changed
    for name in changed:
        text = (fork / name).read_text(encoding="utf-8")
        assert old not in text and page_of(old) not in text
    config = (fork / "_config.yml").read_text(encoding="utf-8")
    assert f"baseurl: https://{page_of(new)}/\n" in config and current(fork) == new
    prefix = "/notes/" if new == "ada/notes" else "/"
    assert f"notfound_urls_prefix: {prefix}\n" in config
    assert rename(fork, old) and current(fork) == old
    done = subprocess.run(["git", "diff", "--stat"], cwd=fork, capture_output=True, text=True)
    assert done.stdout == ""


def test_what_is_no_address(fork):
    with pytest.raises(ValueError, match="you/book"):
        rename(fork, "https://github.com/ada/notes")
