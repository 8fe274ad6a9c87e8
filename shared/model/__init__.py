"""The model: a GPT of any shape, writing with it, its weights in files, and LoRA."""

from shared.model.attention import CausalSelfAttention, causal_weights
from shared.model.cache import KVCache, next_logits, read_tokens
from shared.model.config import GPT2, TALES, GPTConfig, check_config, check_targets, check_tokens
from shared.model.generate import (
    GREEDY,
    Decoding,
    complete,
    evaluating,
    generate,
    next_token_probs,
    sample_token,
)
from shared.model.gpt import (
    GPT,
    IGNORED,
    Block,
    FeedForward,
    LayerNorm,
    count_parameters,
    init_weights,
    next_token_loss,
)
from shared.model.lora import LoRALinear, add_lora, merge_lora
from shared.model.weights import (
    CHECKPOINTS,
    MINE,
    MODEL,
    TOKENIZER,
    load_model,
    load_pretrained,
    load_run,
    load_tales,
    save_model,
)

__all__ = [
    "CHECKPOINTS",
    "GPT",
    "GPT2",
    "GREEDY",
    "IGNORED",
    "MINE",
    "MODEL",
    "TALES",
    "TOKENIZER",
    "Block",
    "CausalSelfAttention",
    "Decoding",
    "FeedForward",
    "GPTConfig",
    "KVCache",
    "LayerNorm",
    "LoRALinear",
    "add_lora",
    "causal_weights",
    "check_config",
    "check_targets",
    "check_tokens",
    "complete",
    "count_parameters",
    "evaluating",
    "generate",
    "init_weights",
    "load_model",
    "load_pretrained",
    "load_run",
    "load_tales",
    "merge_lora",
    "next_logits",
    "next_token_loss",
    "next_token_probs",
    "read_tokens",
    "sample_token",
    "save_model",
]
