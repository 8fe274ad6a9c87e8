"""Take a finished run on the Tales into the book.  python -m shared.training.ship runs/tales ...

Several folders are runs that began where the one before had ended. Copies the last model, its
tokenizer and all curves to `shared/checkpoints/`, and measures what `card.json` says.
"""

import json
import shutil
import sys
from pathlib import Path

import torch

from shared.book import whole_file
from shared.model import CHECKPOINTS, MODEL, TOKENIZER, Decoding, complete, load_tales
from shared.training.feed import rows_and_floor
from shared.training.loop import evaluate
from shared.world import stories, story_quality

STORIES, TEMPERATURE, SEED = 300, 0.8, 0


def gap(model, tokenizer, split: str) -> float:
    """Nats per token above the entropy floor, on stories of a split."""
    rows, floor = rows_and_floor(tokenizer, model.config.context_length, split)
    return evaluate(model, *rows) - floor


def main(runs: list[Path]) -> None:
    CHECKPOINTS.mkdir(exist_ok=True)
    shutil.copy(runs[-1] / MODEL, CHECKPOINTS / MODEL)
    shutil.copy(runs[-1] / TOKENIZER, CHECKPOINTS / TOKENIZER)
    tables = [(run / "metrics.csv").read_text().splitlines(True) for run in runs]
    rows = [row for table in tables for row in table[1:] if not row.endswith(",\n")]
    (CHECKPOINTS / "curve.csv").write_text("".join([tables[0][0], *rows]))
    settings = [json.loads((run / "settings.json").read_text()) for run in runs]
    model, tokenizer = load_tales()
    luck = torch.Generator().manual_seed(SEED)
    texts = complete(model, tokenizer, [""] * STORIES, Decoding(TEMPERATURE), luck)
    known = {story.text for story in stories(int(settings[-1]["stories"]))}
    quality = {"stories": STORIES, "temperature": TEMPERATURE, "seed": SEED}
    card = {
        "settings": settings,
        "nats_per_token_above_the_floor": round(gap(model, tokenizer, "validation"), 5),
        "the_same_on_held_out_pairs": round(gap(model, tokenizer, "held_out"), 5),
        "quality": quality | {k: round(v, 3) for k, v in story_quality(texts, known).items()},
    }
    with whole_file(CHECKPOINTS / "card.json") as file:
        file.write(json.dumps(card, indent=1).encode())
    print(json.dumps(card, indent=1))


if __name__ == "__main__":
    main([*map(Path, sys.argv[1:])])
