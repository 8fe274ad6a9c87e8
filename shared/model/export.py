"""Take a model elsewhere: files beside the weights with which `transformers` opens its folder.

    python -m shared.model.export runs/mine

Then `AutoModelForCausalLM.from_pretrained("runs/mine")` and `AutoTokenizer.from_pretrained(...)`
give the same logits and the same ids. Nothing of this needs `transformers`.
"""

import json
import sys
from pathlib import Path

from shared.book import whole_file
from shared.model.config import GPTConfig
from shared.model.weights import load_run
from shared.text import (
    ASSISTANT,
    END_OF_TEXT,
    END_OF_TURN,
    USER,
    BPEEncoder,
    apply_merges,
)

# what a system message says, such as a story, stands before the first question, as in chapter 7
CHAT_TEMPLATE = (
    "{% set given = messages[0]['content'] if messages[0]['role'] == 'system' else '' %}"
    "{% for message in messages if message['role'] != 'system' %}"
    f"{{{{ '{USER}' if message['role'] == 'user' else '{ASSISTANT}' }}}}"
    "{{ given + '\n' if loop.first and given else '' }}"
    f"{{{{ message['content'] + '{END_OF_TURN}' }}}}"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{{{{ '{ASSISTANT}' }}}}{{% endif %}}"
)


def byte_letters() -> list[str]:
    """GPT-2's way to write each byte as a visible character; the others move up behind 255."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte if byte in visible else next(others)) for byte in range(256)]


def merges(ids: dict[bytes, int]) -> list[tuple[bytes, bytes]]:
    """The two tokens that each longer token is made of, in the order in which they are joined."""
    pairs = []
    for token in sorted((token for token in ids if len(token) > 1), key=ids.get):
        lower = {other: rank for other, rank in ids.items() if rank < ids[token]}
        pairs.append(tuple(apply_merges(token, lower)))
    return pairs


def hf_tokenizer(tokenizer: BPEEncoder) -> dict:
    """The contents of Hugging Face's tokenizer.json."""
    letters = byte_letters()

    def written(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    special = {"special": True, "single_word": False, "lstrip": False, "rstrip": False}
    return {
        "version": "1.0",
        "added_tokens": [
            {"id": i, "content": name, "normalized": False, **special}
            for name, i in sorted(tokenizer.special_tokens.items(), key=lambda item: item[1])
        ],
        "pre_tokenizer": level,
        "decoder": level,
        "model": {
            "type": "BPE",
            "vocab": {written(token): i for token, i in tokenizer.ids.items()},
            "merges": [[written(a), written(b)] for a, b in merges(tokenizer.ids)],
        },
    }


def hf_config(config: GPTConfig, end: int) -> dict:
    """The contents of Hugging Face's config.json. Raises ValueError if GPT-2 can't be so."""
    if not config.qkv_bias:
        raise ValueError("qkv_bias is False, and GPT-2 has biases: it can't be exported")
    return {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": config.vocab_size,
        "n_positions": config.context_length,
        "n_embd": config.d_model,
        "n_head": config.n_heads,
        "n_layer": config.n_layers,
        "activation_function": "gelu_new",
        "tie_word_embeddings": config.tied_embeddings,
        **dict.fromkeys(("embd_pdrop", "attn_pdrop", "resid_pdrop"), config.dropout),
        "bos_token_id": end,
        "eos_token_id": end,
        "dtype": "float32",
    }


def export(folder: str | Path) -> None:
    """Write config.json, tokenizer.json and tokenizer_config.json beside model.safetensors."""
    model, tokenizer = load_run(folder)
    special = {name: END_OF_TEXT for name in ("bos_token", "eos_token", "unk_token", "pad_token")}
    files = {
        "config.json": hf_config(model.config, tokenizer.special_tokens[END_OF_TEXT]),
        "tokenizer.json": hf_tokenizer(tokenizer),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": model.config.context_length,
            "chat_template": CHAT_TEMPLATE,
            **special,
        },
    }
    for name, contents in files.items():
        with whole_file(Path(folder) / name) as file:
            file.write(json.dumps(contents, indent=1, ensure_ascii=False).encode())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("say which folder: python -m shared.model.export runs/mine")
    export(sys.argv[1])
