"""The rooms of shared/: who may import from whom, how much stands in one, what they offer."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from importlib import import_module

import pytest

from tests.notebooks import ROOT

# each may import from those before it
ROOMS = ("world", "text", "model", "training", "tasks", "preferences", "serving", "practice")
FILES = sorted((ROOT / "shared").rglob("*.py"))
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FILES
}


def imported(code: str) -> set[str]:
    """The modules of shared/ that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports say the whole name"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return {name for name in found if name.partition(".")[0] == "shared"}


def allowed(room: str) -> tuple[str, ...]:
    """The rooms that a room may import from."""
    return (*ROOMS[: ROOMS.index(room) + 1], "book") if room in ROOMS else (room,)


def forbidden(room: str, code: str) -> list[str]:
    """What a module of a room imports and may not."""
    rooms = tuple(f"shared.{one}" for one in allowed(room))
    return [name for name in sorted(imported(code)) if not name.startswith(rooms)]


def cycle(needs: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_all_code_is_in_a_room():
    rooms = {path.parent.name for path in FILES} - {"shared"}
    assert rooms == {*ROOMS, "book"}
    outside = {path.name for path in FILES if path.parent.name == "shared"}
    assert outside == {"__init__.py", "data.py", "ship.py", "train.py"}


@pytest.mark.parametrize("name", MODULES)
def test_a_room_imports_from_those_before_it(name):
    """What stands in no room imports nothing."""
    room = MODULES[name].parent.name
    assert not forbidden(room, MODULES[name].read_text(encoding="utf-8"))


def test_what_a_room_may_not_import_is_seen():
    assert not forbidden("tasks", "from shared.training import train\nimport torch")
    assert not forbidden("text", "from shared.book import data\nfrom shared.text.bpe import Row")
    assert forbidden("text", "from shared.model import GPT") == ["shared.model"]
    assert forbidden("model", "def f():\n    import shared.tasks.ask") == ["shared.tasks.ask"]
    assert forbidden("book", "from shared.text import stories") == ["shared.text"]
    assert forbidden("text", "from shared import train") == ["shared.train"]


def test_there_is_no_cycle():
    needs = {name: imported(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
    assert sum(map(len, needs.values())) > 60 and needs.keys() >= set().union(*needs.values())
    assert not cycle(needs)
    needs["shared.world.tales"] = {"shared.world.reader"}
    assert cycle(needs)


@pytest.mark.parametrize("room", [*ROOMS, "book"])
def test_a_room_is_no_hall(room):
    """The door, __init__.py, and what a command starts are not counted."""
    paths = [path for path in FILES if path.parent.name == room and path.name[0] != "_"]
    assert len([path for path in paths if "\nif __name__ ==" not in path.read_text()]) <= 8


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_read_in_one_sitting(name):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("room", [*ROOMS, "book"])
def test_a_room_offers_what_it_says(room):
    offered = import_module(f"shared.{room}").__all__
    exec(f"from shared.{room} import {', '.join(offered)}", found := {})
    assert found.keys() >= {*offered}
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec(f"from shared.{room} import nothing")


def test_stories_need_no_torch():
    """Nor do the data and the pictures: a page of the site is built without waiting for it."""
    code = (
        "import sys; from shared.text import BPETokenizer; from shared.world import stories, judge;"
        "from shared.book import data, Picture; judge(stories(1)[0].text);"
        "assert 'torch' not in sys.modules;"
        "from shared.text import *; assert 'torch' in sys.modules and TokenFile"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    "old, new",
    [
        ("shared.train --out runs/mine", "python -m shared.training --out"),
        ("shared.ship runs/tales", "python -m shared.training.ship"),
        ("shared.data", "python -m shared.book.data"),
    ],
)
def test_an_old_command_says_the_new_one(old, new):
    command = [sys.executable, "-m", *old.split()]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 2 and new in ran.stderr and not ran.stdout


def test_the_new_command_is_there():
    command = [sys.executable, "-m", "shared.training", "--help"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0 and not ran.stderr
    assert ran.stdout.startswith("usage: python -m shared.training") and "--out" in ran.stdout
