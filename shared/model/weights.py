"""Weights in files, used from chapter 5 on: safetensors with the names that GPT-2 has."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from shared.book import data, read_tensors, write_tensors
from shared.model.config import GPT2, GPTConfig
from shared.model.gpt import GPT
from shared.text import BPETokenizer

TRANSPOSED = ("c_attn.weight", "c_fc.weight", "c_proj.weight")  # GPT-2 stores (inputs, outputs)
HEAD, EMBEDDING = "lm_head.weight", "wte.weight"
MODEL, TOKENIZER = "model.safetensors", "vocabulary.json"
CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
MINE = Path(__file__).parents[2] / "runs" / "mine"


def to_gpt2(model: GPT) -> dict[str, Tensor]:
    """The model's weights under GPT-2's names and in its layout; a tied head is not repeated."""
    weights = {
        name: weight.T.contiguous() if name.endswith(TRANSPOSED) else weight.contiguous()
        for name, weight in model.state_dict().items()
    }
    if model.config.tied_embeddings:
        del weights[HEAD]
    return weights


def check_kinds(weights: dict[str, Tensor]) -> None:
    """Raises ValueError on numbers that float32, in which models are loaded, can't hold."""
    kinds = (torch.float32, torch.bfloat16, torch.float16)
    if other := {name: str(w.dtype) for name, w in weights.items() if w.dtype not in kinds}:
        name, kind = min(other.items())
        raise ValueError(
            f"{len(other)} of {len(weights)} weights, such as {name}, are {kind}: files hold "
            "float32, bfloat16 or float16; for a model in float64, model.float() rounds them"
        )


def from_gpt2(model: GPT, weights: dict[str, Tensor]) -> None:
    """Fill a model with weights under GPT-2's names. Raises ValueError naming what does not fit."""
    weights = {name.removeprefix("transformer."): weight for name, weight in weights.items()}
    weights = {n: w for n, w in weights.items() if not n.endswith((".attn.bias", ".masked_bias"))}
    ends = [weights[name] for name in (HEAD, EMBEDDING) if name in weights]
    if model.config.tied_embeddings and len(ends) == 2 and torch.equal(*ends):
        del weights[HEAD]  # a head of its own would be unknown
    expected = {name: tuple(weight.shape) for name, weight in to_gpt2(model).items()}
    found = {name: tuple(weight.shape) for name, weight in weights.items()}
    check_kinds(weights)
    if found != expected:
        wrong = {n for n in found.keys() & expected.keys() if found[n] != expected[n]}
        raise ValueError(
            f"the weights don't fit: missing {sorted(expected.keys() - found.keys())}, "
            f"unknown {sorted(found.keys() - expected.keys())}, other shapes "
            f"{ {name: (found[name], expected[name]) for name in sorted(wrong)} }"
        )
    own = model.state_dict()
    with torch.no_grad():
        for name, weight in weights.items():
            own[name].copy_(weight.T if name.endswith(TRANSPOSED) else weight)


def save_model(model: GPT, path: str | Path) -> None:
    """Write weights and configuration into one file, whole or not at all.

    Raises ValueError on weights that are not float32, bfloat16 or float16.
    """
    check_kinds(to_gpt2(model))
    write_tensors(path, to_gpt2(model), config=json.dumps(asdict(model.config)))


def load_model(path: str | Path, config: GPTConfig | None = None) -> GPT:
    """The model in a file, in evaluation mode; `config` is for files that don't store theirs.

    Raises ValueError if the file is damaged, or if it is not of this configuration.
    """
    weights, notes = read_tensors(path)
    try:
        model = GPT(stored_config(notes, config), torch.Generator())  # disturbs no other draws
        from_gpt2(model, weights)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    return model.eval()


def stored_config(notes: dict[str, str], expected: GPTConfig | None = None) -> GPTConfig:
    """The configuration that `save_model` has written, or else the expected one.

    Raises ValueError if there is neither, or naming the fields in which they differ.
    """
    if "config" not in notes and expected is None:
        raise ValueError("the file holds weights but no configuration: say which it is")
    stored = GPTConfig(**json.loads(notes["config"])) if "config" in notes else expected
    if expected not in (None, stored):
        pairs = [(name, value, getattr(stored, name)) for name, value in asdict(expected).items()]
        other = [f"{name} {there}, not {here}" for name, here, there in pairs if here != there]
        raise ValueError(f"the file's configuration has {', '.join(other)}")
    return stored


def load_tales(mine: bool = False) -> tuple[GPT, BPETokenizer]:
    """The model that comes with the book, trained on the Tales, and its tokenizer.

    With `mine` the one that chapter 5 has kept in `runs/mine`. Raises ValueError if it is not
    there, or not whole, or if model and tokenizer don't belong together.
    """
    return load_run(MINE) if mine else load_run(CHECKPOINTS)


def load_run(folder: str | Path) -> tuple[GPT, BPETokenizer]:
    """The model and the tokenizer in a folder. Raises ValueError saying what is wrong there."""
    paths = [Path(folder) / name for name in (MODEL, TOKENIZER)]
    if missing := [path.name for path in paths if not path.is_file()]:
        raise ValueError(
            f"{folder} has no {' and no '.join(missing)}: chapter 5 trains a model and keeps it "
            "there, and so does `python -m shared.training --out runs/mine`"
        )
    model, tokenizer = load_model(paths[0]), BPETokenizer.load(paths[1])
    if model.config.vocab_size != tokenizer.vocab_size:
        raise ValueError(
            f"{folder}: the model knows {model.config.vocab_size} tokens, the tokenizer "
            f"{tokenizer.vocab_size}: they are from different runs"
        )
    return model, tokenizer


def load_pretrained(name: str = "gpt2") -> GPT:
    """OpenAI's GPT-2 of 124 million parameters, downloaded and checked, in evaluation mode."""
    if name != "gpt2":
        raise ValueError(f"no weights for {name!r}: the book knows 'gpt2'")
    return load_model(data.fetch("gpt2-weights"), GPT2[name])
