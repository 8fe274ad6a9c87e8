"""Give the book another address, in every file that names it:  python -m book.address you/book

After a fork this is the one thing to do: commit and push, and the workflow `publish` tests the
book and puts it on that repository's GitHub Pages. Notebooks then fetch their code from there.
"""

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"[\w.-]+/[\w.-]+")


def page_of(repository: str) -> str:
    """Where GitHub Pages shows a repository: you/book -> you.github.io/book."""
    owner, name = repository.split("/")
    host = f"{owner.lower()}.github.io"
    return host if name.lower() == host else f"{host}/{name}"


def current(root: Path) -> str:
    """The repository that the book names now."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    return config["repository"]["url"].removeprefix("https://github.com/")


def rename(root: Path, new: str) -> list[str]:
    """Rewrite the address in all tracked files; the names of those that changed.

    Raises ValueError if `new` is not of the form owner/name.
    """
    if not NAME.fullmatch(new):
        raise ValueError(f"{new!r}: the address of a repository looks like you/book")
    old = current(root)
    before, after = page_of(old), page_of(new)
    prefix = "notfound_urls_prefix: /"
    path = "/".join(after.split("/")[1:])
    changes = {old: new, before: after}
    named = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, changes))})(?!\w)")
    tracked = subprocess.run(
        ["git", "ls-files", "-z", ":!tests/test_address.py"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    changed = []
    for name in filter(None, tracked.stdout.split("\0")):
        try:
            text = (file := root / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, IsADirectoryError):
            continue
        made = named.sub(lambda match: changes[match[1]], text)
        if name == "_config.yml":
            made = re.sub(rf"{prefix}.*", f"{prefix}{path}/" if path else prefix, made)
        if made != text:
            file.write_text(made, encoding="utf-8")
            changed.append(name)
    return changed


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say which repository: python -m book.address you/book")
    for name in rename(ROOT, sys.argv[1]):
        print(name)
    print(f"Commit and push to {sys.argv[1]}: its pages will be https://{page_of(sys.argv[1])}/")
