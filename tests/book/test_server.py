"""The instructions for a class server, followed by two Unix users, as they stand in setup.md."""

import json
import os
import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest

from tests.notebooks import CHAPTERS, ROOT

NOBODY = 65534
pytestmark = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can act for two users"
)


def commands() -> tuple[list[str], list[str]]:
    """What the administrator types, and what a student types."""
    text = (ROOT / "book" / "setup.md").read_text(encoding="utf-8")
    section = text.partition("## On a server for a class")[2].partition("\n## ")[0]
    administrator, student = re.findall(r"```bash\n(.*?)```", section, re.S)
    return administrator.splitlines(), student.splitlines()


@pytest.fixture
def place():
    """A folder that everybody can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="class-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_a_student_takes_a_copy(place):
    """Git's commands are typed as they are; only places and the repository's address differ."""
    opt, home = place / "opt", place / "home"
    opt.mkdir()
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    environment |= {"GIT_CONFIG_SYSTEM": str(place / "gitconfig"), "LLM_BOOK_REPO": "/nowhere"}
    run = partial(subprocess.run, shell=True, check=True, text=True, capture_output=True)
    administrator, student = commands()
    bare = place / "origin"
    run(f"git clone -q --bare {ROOT} {bare}")
    for line in administrator:
        if line.startswith("git "):
            line = re.sub(r"https://\S+", f"file://{bare}", line).replace("/opt/", f"{opt}/")
            run(line, env=environment)
    (place / "gitconfig").chmod(0o644)
    for line in student:
        run(line.replace("/opt/", f"{opt}/"), cwd=home, env=environment, user=NOBODY, group=NOBODY)
    notebook = json.loads(CHAPTERS[0].read_text(encoding="utf-8"))
    first = next(
        cell for cell in notebook["cells"] if "bootstrap" in cell["metadata"].get("tags", [])
    )
    code = "".join(first["source"]) + "\nprint(root)\n"
    folder = home / "book" / "notebooks"
    found = run([sys.executable, "-c", code], shell=False, cwd=folder, env=environment)
    assert found.stdout.strip() == str(home / "book")
