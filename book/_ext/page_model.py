"""The model that runs in the page: the shipped checkpoint in 8 bits a weight, for tales.js.

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
from pathlib import Path

import numpy as np
from safetensors import safe_open
from sphinx.util import logging

CHECKPOINTS = Path(__file__).parents[2] / "shared" / "checkpoints"
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


def write_model(checkpoint: Path, tokenizer: Path, target: Path) -> None:
    """Write the script. Raises ValueError on a model that the page can't run."""
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
    checkpoint, tokenizer = CHECKPOINTS / "model.safetensors", CHECKPOINTS / "vocabulary.json"
    if error is not None or app.builder.format != "html":
        return
    if checkpoint.is_file() and tokenizer.is_file():
        write_model(checkpoint, tokenizer, Path(app.outdir) / "_static" / "tales-model.js")
    else:
        logging.getLogger(__name__).info("no checkpoint: the page has no model")


def setup(app) -> dict:
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
