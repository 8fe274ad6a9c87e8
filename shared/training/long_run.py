"""Long runs from the command line, as shown in chapter 5, on one device, many, or many machines.

    python -m shared.training --out runs/tales
    python -m shared.training --out runs/mine --data my.txt --steps 5000 --d-model 256
    torchrun --nproc-per-node 4 -m shared.training --out runs/tales

The folder holds settings, tokenizer, metrics, the state of the run and the model. The same command
goes on where the last one ended, however it ended.
"""

import argparse
import csv
import os
from dataclasses import asdict, fields
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from shared.book import whole_file
from shared.model import GPT, MODEL, TALES, GPTConfig, load_model, save_model
from shared.training.feed import part_of
from shared.training.loop import evaluate, processes, train
from shared.training.recipe import Recipe, start_narrow
from shared.training.run_folder import begin, prepare

PATIENCE = timedelta(hours=2)  # of other processes, while the first prepares data or validates
COLUMNS = ("step", "loss", "lr", "grad_norm", "validation")


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line; its defaults are those of the book's own model."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m shared.training", None, __doc__, None, [], as_written
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder of the run; goes on with what is there")
    add("--data", default="tales", help="'tales', or a text file")
    add("--stories", type=int, default=25_000, help="how many Tales to train on")
    add("--start", type=Path, help="folder of a finished run, to go on with its model")
    add("--batch-size", type=int, default=8, help="rows in a batch, over all processes")
    add("--eval-every", type=int, default=100, help="steps between two validation losses")
    add("--save-every", type=int, default=100, help="steps between two saved states")
    add("--compile", action="store_true", help="torch.compile: pays on GPUs")
    for kind, defaults in ((GPTConfig, TALES), (Recipe, Recipe(steps=1200, muon_lr=0.02))):
        for field in fields(kind):
            default, name = getattr(defaults, field.name), f"--{field.name.replace('_', '-')}"
            if isinstance(default, bool):
                add(name, default=default, action=argparse.BooleanOptionalAction)
            else:
                add(name, type=type(default), default=default, help=f"{default}")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    """Start the processes, prepare the folder once, train, and close down."""
    options = arguments(words)
    recipe = chosen(options, Recipe)
    model = first_model(options)
    device = start_process()
    try:
        if processes()[0] == 0:
            prepare(options)
        wait_for_all()
        run(options, model.to(device), recipe)
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def start_process() -> torch.device:
    """Join the others if torchrun started this process; its device, a GPU if there is one."""
    if "WORLD_SIZE" in os.environ:  # set by torchrun
        backend = "nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(backend, timeout=PATIENCE)
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    torch.cuda.set_device(device)
    return device


def wait_for_all() -> None:
    if distributed.is_initialized():
        distributed.barrier()


def first_model(options: argparse.Namespace) -> GPT:
    """That of the finished run in --start, or a new one. Raises ValueError if it can't be."""
    config = chosen(options, GPTConfig)
    if options.start:
        return load_model(options.start / MODEL, config)
    model = GPT(config, torch.Generator().manual_seed(options.seed))
    start_narrow(model)
    return model


def run(options: argparse.Namespace, model: GPT, recipe: Recipe) -> None:
    """Train, with a bar and metrics.csv, and write model.safetensors at the end."""
    rank, world = processes()
    feed, validation = begin(options)
    wrapped = DistributedDataParallel(model) if world > 1 else model
    if options.compile:
        wrapped.compile()
    feed = part_of(feed, rank, world)
    records = train(wrapped, feed, recipe, folder=options.out, save_every=options.save_every)
    if rank:
        for _ in records:
            pass
        return
    with tqdm(total=recipe.steps, unit="step") as bar:
        for record in records:
            row = asdict(record)
            if (record.step + 1) % options.eval_every == 0 or record.step + 1 == recipe.steps:
                row["validation"] = evaluate(model, *validation)
            add_row(options.out / "metrics.csv", row, first=bar.n == 0)
            bar.set_postfix(loss=f"{record.loss:.3f}", refresh=False)
            bar.update(record.step + 1 - bar.n)
    save_model(model, options.out / MODEL)


def chosen(options: argparse.Namespace, kind):
    """A GPTConfig or a Recipe with the values from the command line."""
    return kind(**{field.name: getattr(options, field.name) for field in fields(kind)})


def add_row(path: Path, row: dict, first: bool) -> None:
    """Add a row to metrics.csv; the first of a part of the run drops what was done in vain."""
    if first:
        lines = path.read_text().splitlines(keepends=True)[1:] if path.exists() else []
        kept = [
            line for line in lines if line.endswith("\n") and int(line.split(",")[0]) < row["step"]
        ]
        with whole_file(path) as file:
            file.write("".join([",".join(COLUMNS) + "\n", *kept]).encode())
    with path.open("a") as file:
        csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(row)
