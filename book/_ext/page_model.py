"""The models that run in the page, in 8 bits a weight: scripts for book/_static/play/weights.js.

The storyteller is the shipped checkpoint: its script is written with each build. The assistant,
which takes longer to train, has its script in the repository, written by

    python book/_ext/page_model.py runs/assistant

A script and not a file of bytes, because a page opened from a disk may load nothing but scripts.
It calls `talesModel(...)` with

    config          vocab_size, context_length, d_model, n_heads, n_layers
    tokens          as in vocabulary.json: in the order of their ids, a character for each byte
    special_tokens  their ids by name
    tensors         [name, rows, columns] of each tensor, in the order of `data`
    data            base64 of, for each tensor, rows float32 and then rows * columns int8

The float32 are the scales of a matrix (weight = scale of its row * integer), or the numbers of a
vector, which has no columns. Bytes are in little-endian order, names are GPT-2's, and a matrix has
a row for each output (each id, each position), as in PyTorch.
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open
from sphinx.util import logging

CHECKPOINTS = Path(__file__).parents[2] / "shared" / "checkpoints"
ASSISTANT = Path(__file__).parents[1] / "_static" / "play" / "assistant-model.js"
TRANSPOSED = ("c_attn.weight", "c_fc.weight", "c_proj.weight")  # GPT-2 stores (inputs, outputs)
NUMBERS = ("vocab_size", "context_length", "d_model", "n_heads", "n_layers")


def quantize(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The float32 scale of each row, and integers -127 to 127.  (N, M) -> (N,), (N, M)"""
    scales = np.abs(matrix).max(axis=1) / 127
    return scales, np.rint(matrix / np.maximum(scales, 1e-30)[:, None]).astype(np.int8)


def pack(weights: dict[str, np.ndarray]) -> tuple[list, bytes]:
    """The entries `tensors` and `data`."""
    tensors, data = [], b""
    for name, weight in weights.items():
        if weight.ndim == 1:
            tensors.append([name, len(weight), 0])
            data += weight.astype("<f4").tobytes()
        else:
            scales, integers = quantize(weight.T if name.endswith(TRANSPOSED) else weight)
            tensors.append([name, *integers.shape])
            data += scales.astype("<f4").tobytes() + integers.tobytes()
    return tensors, data


def write_model(folder: Path, target: Path) -> None:
    """Write a model with its vocabulary. Raises ValueError on one that the page can't run."""
    checkpoint, tokenizer = folder / "model.safetensors", folder / "vocabulary.json"
    with safe_open(checkpoint, "np") as file:
        config = json.loads(file.metadata()["config"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if not config["tied_embeddings"]:
        raise ValueError(f"{checkpoint}: the page's model has tied embeddings")
    tensors, data = pack(weights)
    model = {
        "config": {name: config[name] for name in NUMBERS},
        **json.loads(tokenizer.read_bytes()),
        "tensors": tensors,
        "data": base64.b64encode(data).decode(),
    }
    target.write_text(f"talesModel({json.dumps(model)});\n", encoding="utf-8")


def finish(app, error) -> None:
    if error is not None or app.builder.format != "html":
        return
    if (CHECKPOINTS / "model.safetensors").is_file():
        write_model(CHECKPOINTS, Path(app.outdir) / "_static" / "tales-model.js")
    else:
        logging.getLogger(__name__).info("no checkpoint: the page has no model")


def setup(app) -> dict:
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    write_model(Path(sys.argv[1]), ASSISTANT)
    print(f"{ASSISTANT}: {ASSISTANT.stat().st_size / 1e6:.2f} MB")
