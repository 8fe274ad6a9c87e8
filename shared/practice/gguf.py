"""A model in one file for llama.cpp and what is built on it: weights, tokenizer, chat template.

    python -m shared.practice.gguf runs/mine [--q8]

writes `model.gguf` into the folder; with --q8 the matrices take about a byte for each weight.
The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import sys
from pathlib import Path
from struct import pack

import numpy as np

from shared.book import whole_file
from shared.model import GPT, GPTConfig, load_run
from shared.model.export import CHAT_TEMPLATE, byte_letters, hf_config, merges
from shared.text import END_OF_TEXT, END_OF_TURN, BPEEncoder

ALIGNMENT, BLOCK = 32, 32
F32, Q8 = 0, 8  # kinds of tensors
TEXT, ARRAY = 8, 9  # kinds of values, and those of a fixed length:
KINDS = {int: (4, "<I"), np.int32: (5, "<i"), float: (6, "<f"), bool: (7, "<?")}
NORMAL, CONTROL = 1, 3  # kinds of tokens
NAMES = {
    "wte": "token_embd",
    "wpe": "position_embd",
    "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
    "ln_f": "output_norm",
    "lm_head": "output",
}


def tensors(model: GPT) -> dict[str, np.ndarray]:
    """The weights under llama.cpp's names; a tied head is not repeated.

    >>> gguf_name("h.3.mlp.c_fc.bias")
    'blk.3.ffn_up.bias'
    """
    tied = model.config.tied_embeddings
    state = {n: w for n, w in model.state_dict().items() if not (tied and n == "lm_head.weight")}
    return {gguf_name(name): weight.float().cpu().numpy() for name, weight in state.items()}


def gguf_name(name: str) -> str:
    part, _, kind = name.rpartition(".")
    block = ""
    if part.startswith("h."):
        _, number, part = part.split(".", maxsplit=2)
        block = f"blk.{number}."
    return f"{block}{NAMES[part]}.{kind}"


def metadata(config: GPTConfig, tokenizer: BPEEncoder, name: str) -> dict:
    """What is to be known about a model and its tokenizer. Raises ValueError if it is no GPT-2."""
    special, letters = tokenizer.special_tokens, byte_letters()
    end = special[END_OF_TEXT]
    hf_config(config, end)  # raises it
    control = set(special.values())
    written = [
        token.decode() if i in control else "".join(letters[byte] for byte in token)
        for i, token in enumerate(tokenizer.tokens)
    ]
    halves = [["".join(letters[b] for b in half) for half in m] for m in merges(tokenizer.ids)]
    notes = {
        "general.architecture": "gpt2",
        "general.name": name,
        "gpt2.context_length": config.context_length,
        "gpt2.embedding_length": config.d_model,
        "gpt2.feed_forward_length": 4 * config.d_model,
        "gpt2.block_count": config.n_layers,
        "gpt2.attention.head_count": config.n_heads,
        "gpt2.attention.layer_norm_epsilon": 1e-5,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",  # its way to cut a text into chunks
        "tokenizer.ggml.tokens": written,
        "tokenizer.ggml.token_type": [
            CONTROL if i in control else NORMAL for i in range(len(written))
        ],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in halves],
        "tokenizer.ggml.bos_token_id": end,
        "tokenizer.ggml.eos_token_id": end,
        "tokenizer.ggml.add_bos_token": False,
    }
    if END_OF_TURN in special:
        notes["tokenizer.ggml.eot_token_id"] = special[END_OF_TURN]
        notes["tokenizer.chat_template"] = CHAT_TEMPLATE
    return notes


def text_bytes(text: str) -> bytes:
    return pack("<Q", len(text.encode())) + text.encode()


def value_bytes(value) -> tuple[int, bytes]:
    """A value's kind, and its bytes."""
    if isinstance(value, list):
        value = [np.int32(item) if type(item) is int else item for item in value]
        kinds, items = zip(*map(value_bytes, value), strict=True)
        return ARRAY, pack("<IQ", kinds[0], len(items)) + b"".join(items)
    if isinstance(value, str):
        return TEXT, text_bytes(value)
    return KINDS[type(value)][0], pack(KINDS[type(value)][1], value)


def q8_bytes(weight: np.ndarray) -> bytes:
    """Blocks of 32 weights: a scale in two bytes, and each weight in steps of it, -127 to 127."""
    blocks = weight.reshape(-1, BLOCK)
    scale = abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    steps = np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale > 0)
    whole = np.copysign(np.floor(abs(steps) + np.float32(0.5)), steps).astype(np.int8)
    return np.hstack([scale.astype("<f2").view(np.int8), whole]).tobytes()


def stored(name: str, weight: np.ndarray, q8: bool) -> tuple[int, bytes]:
    """The kind of a tensor, and its bytes: as llama.cpp does, only matrices lose precision."""
    if q8 and weight.ndim == 2 and weight.shape[1] % BLOCK == 0 and "position" not in name:
        return Q8, q8_bytes(weight)
    return F32, weight.astype("<f4").tobytes()


def write_gguf(model: GPT, tokenizer: BPEEncoder, path: str | Path, q8: bool = False) -> None:
    """Write model and tokenizer into one file, whole or not at all."""
    notes = metadata(model.config, tokenizer, Path(path).resolve().parent.name)
    found = {name: (w.shape, *stored(name, w, q8)) for name, w in tensors(model).items()}
    head = b"GGUF" + pack("<IQQ", 3, len(found), len(notes))
    for key, value in notes.items():
        kind, written = value_bytes(value)
        head += text_bytes(key) + pack("<I", kind) + written
    parts, place = [], 0
    for name, (shape, kind, data) in found.items():
        sizes = shape[::-1]  # the one along which neighbors lie comes first
        head += text_bytes(name) + pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, kind, place)
        parts.append(data + bytes(-len(data) % ALIGNMENT))
        place += len(parts[-1])
    with whole_file(path) as file:
        file.write(head + bytes(-len(head) % ALIGNMENT))
        file.writelines(parts)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--q8"]):
        sys.exit("say which folder: python -m shared.practice.gguf runs/mine [--q8]")
    write_gguf(*load_run(sys.argv[1]), Path(sys.argv[1]) / "model.gguf", "--q8" in sys.argv)
