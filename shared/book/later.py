"""Names that a room offers and loads when they are asked for: text needs no PyTorch to be told."""

import sys
from collections.abc import Callable
from importlib import import_module


def later(room: str, modules: dict[str, tuple[str, ...]]) -> Callable[[str], object]:
    """The `__getattr__` of a package: {module: names}, each module imported at its first use."""
    places = {name: module for module, names in modules.items() for name in names}

    def find(name: str):
        if name not in places:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        module = import_module(f"{room}.{places[name]}")
        for each in modules[places[name]]:  # also one that is called like its module
            setattr(sys.modules[room], each, getattr(module, each))
        return getattr(module, name)

    return find
