"""An assistant made of a storyteller, by chapter 7's recipe.

python -m shared.tasks.assistant --out runs/assistant
"""

import argparse
import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from shutil import copy

from shared.model import CHECKPOINTS, GPT, MODEL, TOKENIZER, load_run, save_model
from shared.tasks.answers import exact_match, respond
from shared.tasks.instruct import Row, chat_row, fits, row_feed, story_row
from shared.text import END_OF_TURN, BPEEncoder
from shared.training import Recipe, train
from shared.world import EXACT, TOLD, USUAL, conversations, instructions, refuses, stories

ASKED = (*USUAL * 2, *TOLD * 8)  # among them what only some stories tell


def assistant_rows(
    tokenizer: BPEEncoder, n: int, context_length: int, seed: int = 1, kinds: Sequence[str] = ASKED
) -> list[Row]:
    """n conversations of four turns, each about a story of its own, and n // 6 stories."""
    talks = conversations(n, seed, kinds=kinds, turns=4)
    rows = [chat_row(tokenizer, talk) for talk in talks]
    rows += [story_row(tokenizer, story.text) for story in stories(n // 6)]
    return [row for row in rows if fits(row, context_length)]


def assistant_recipe(steps: int) -> Recipe:
    """Three quarters of the learning rates of pretraining."""
    return Recipe(steps, lr=3e-3, muon_lr=0.015, warmup=steps // 10)


def make_assistant(model: GPT, tokenizer: BPEEncoder, steps: int, seed: int = 1) -> GPT:
    """A copy of a model that tells stories, trained to answer; it tells how far it is."""
    tuned, end = deepcopy(model), tokenizer.special_tokens[END_OF_TURN]
    rows = assistant_rows(tokenizer, 8 * steps, model.config.context_length, seed)
    for record in train(tuned, row_feed(rows, 8, end, seed), assistant_recipe(steps)):
        if record.step % 50 == 0:
            print(f"step {record.step} of {steps}: loss {record.loss:.3f}", flush=True)
    return tuned.eval()


def card(model: GPT, tokenizer: BPEEncoder, n: int = 200) -> dict[str, float]:
    """The shares of right answers about pairs that training never brought together."""
    maybe = [(one,) for one in instructions(2 * n, 8, "held_out", TOLD)]
    tests = {
        "questions": [(one,) for one in instructions(n, 2, "held_out")],
        "second turns": conversations(n, 4, "held_out", EXACT, turns=2),
        "what is told": [talk for talk in maybe if not refuses(talk[0].output)],
        "what is not told": [talk for talk in maybe if refuses(talk[0].output)],
    }
    said = {name: respond(model, tokenizer, talks, n_tokens=40) for name, talks in tests.items()}
    shares = {
        name: exact_match(said[name], [talk[-1] for talk in talks]) for name, talks in tests.items()
    }
    told = said["what is told"]
    return shares | {"falsely refused": sum(map(refuses, told)) / len(told)}


def main() -> None:
    parser = argparse.ArgumentParser("python -m shared.tasks.assistant", description=__doc__)
    parser.add_argument("--start", type=Path, default=CHECKPOINTS, help="a model of the Tales")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the assistant")
    parser.add_argument("--steps", type=int, default=1000, help="of eight conversations each")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    model, tokenizer = load_run(options.start)
    assistant = make_assistant(model, tokenizer, options.steps, options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    save_model(assistant, options.out / MODEL)
    copy(options.start / TOKENIZER, options.out / TOKENIZER)
    found = card(assistant, tokenizer)
    (options.out / "card.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
