"""Training: recipes, batches by number, the loop, and long runs from the command line.

python -m shared.training --help
"""

from shared.training.feed import (
    Batch,
    Feed,
    generator_of,
    random_windows,
    rows_and_floor,
    shuffled,
    story_rows,
)
from shared.training.loop import Record, evaluate, train
from shared.training.mentions import Mention, carried, second_mentions
from shared.training.optimizer import Muon, make_optimizer, orthogonal
from shared.training.recipe import Recipe, cosine, cosine_lr, start_narrow
from shared.training.resume import load_state, save_state

__all__ = [
    "Batch",
    "Feed",
    "Mention",
    "Muon",
    "Recipe",
    "Record",
    "carried",
    "cosine",
    "cosine_lr",
    "evaluate",
    "generator_of",
    "load_state",
    "make_optimizer",
    "orthogonal",
    "random_windows",
    "rows_and_floor",
    "save_state",
    "second_mentions",
    "shuffled",
    "start_narrow",
    "story_rows",
    "train",
]
