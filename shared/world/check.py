"""Is a world well made? Every template can be told, and every story in one way only.

python -m shared.world.check [world.toml]
"""

import sys
import tomllib
from pathlib import Path
from random import Random

from shared.world.reader import Reader
from shared.world.tales import WORLD, tell
from shared.world.templates import parse, templates
from shared.world.world import END, World


class Tracer(Reader):
    """A reader that remembers which templates it has told, in place of mistakes."""

    def __init__(self, world: World, written: dict[tuple, str]):
        super().__init__(world)
        self.written = written

    def branches(self, node, facts, text):
        found = super().branches(node, facts, text)
        return [(option, share, self.written.get(option, "")) for option, share, _ in found]


def problems(source: dict = WORLD, n: int = 3000) -> list[str]:
    """What is wrong with a world, as far as n stories of each kind show it, in words."""
    written = {parse(template): template for template in templates(source)}
    told, wrong = set(), []
    for split in ("train", "unread") if source.get("unread") else ("train",):
        world, random = World(split, source), Random(f"check {split}").random
        for _ in range(n):
            text = tell(world, random).text
            ways = Tracer(world, written).read(text + END).moments
            traces = [{template for template, _ in way.mistakes} for way in ways]
            told |= traces[0]
            if len(ways) > 1:
                both = traces[0] ^ traces[1] or "the same templates"
                wrong.append(f"told in {len(ways)} ways, by {both}: {text}")
                break
    return [*wrong, *(f"never told: {t!r}" for t in written.values() if t not in told)]


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    found = problems(tomllib.loads(path.read_text(encoding="utf-8")) if path else WORLD)
    print("\n".join(found) or "every template can be told, and every story in one way only")
    sys.exit(bool(found))
