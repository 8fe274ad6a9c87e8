"""Take a finished run on the Tales into the book.  python -m shared.training.ship runs/tales ...

Several folders are runs that began where the one before had ended. Copies the last model, its
tokenizer and all curves to `shared/checkpoints/`, and measures what `card.json` says.
"""

import json
import shutil
import sys
from pathlib import Path

from shared.book import whole_file
from shared.model import CHECKPOINTS, MODEL, TOKENIZER, load_tales
from shared.training.report import report


def rounded(found):
    """A report with five decimals."""
    if isinstance(found, dict):
        return {name: rounded(value) for name, value in found.items()}
    if isinstance(found, list):
        return [rounded(value) for value in found]
    return round(found, 5) if isinstance(found, float) else found


def main(runs: list[Path]) -> None:
    CHECKPOINTS.mkdir(exist_ok=True)
    shutil.copy(runs[-1] / MODEL, CHECKPOINTS / MODEL)
    shutil.copy(runs[-1] / TOKENIZER, CHECKPOINTS / TOKENIZER)
    tables = [(run / "metrics.csv").read_text().splitlines(True) for run in runs]
    rows = [row for table in tables for row in table[1:] if not row.endswith(",\n")]
    (CHECKPOINTS / "curve.csv").write_text("".join([tables[0][0], *rows]))
    settings = [json.loads((run / "settings.json").read_text()) for run in runs]
    found = rounded(report(*load_tales()))
    above = found["above_the_floor"]
    card = {
        "settings": settings,
        "nats_per_token_above_the_floor": above["validation"],
        "the_same_on_held_out_pairs": above["held_out"],
        "quality": found.pop("sampled") | found.pop("quality"),
        "report": found,
    }
    with whole_file(CHECKPOINTS / "card.json") as file:
        file.write(json.dumps(card, indent=1).encode())
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main([*map(Path, sys.argv[1:])])
