"""The field's words: each chapter introduces its own in bold, and the glossary explains them."""

import re

import nbformat
import pytest

from tests.book import rules
from tests.notebooks import CHAPTERS, NOTEBOOKS, ROOT

TAUGHT = {
    "1": "self-supervised learning, hallucination, context window, base model, chat model, "
    "zero-shot, few-shot, in-context learning, instruction tuning, prompt",
    "2": "tokenizer, vocabulary, byte-pair encoding, embedding, special token, batch, retrieval, "
    "relative position",
    "3": "scaled dot-product attention, multi-head attention, causal mask, query, key, value, "
    "attention weights, softmax, dropout",
    "4": "residual connection, residual stream, activation function, feed-forward network, logits",
    "5": "cross-entropy, perplexity, entropy, warm-up, temperature, overfitting, generalization, "
    "top-k, top-p",
    "6": "LoRA, fine-tuning, precision, recall, validation set",
    "7": "chat template, instruction tuning, hallucination",
    "8": "preference data, reward model, best-of-n, KL divergence, policy gradient, advantage, "
    "reward hacking, over-optimization, DPO, RLHF, verifiable reward, win rate, reference model",
    "9": "KV cache, prefill, latency, throughput, quantization, constrained decoding, roofline, "
    "continuous batching, contamination, prompt injection, catastrophic forgetting, exposure",
    "A": "tensor, gradient, gradient descent, backpropagation, broadcasting, optimizer, "
    "learning rate",
    "B": "interpretability, linear probe, control task, selectivity, logit lens, "
    "activation patching, induction head",
}
PRIVATE = ("the way back", "normed", "what does it make of", "lie on one another")


def prose(path) -> str:
    return "\n".join(c.source for c in nbformat.read(path, 4).cells if c.cell_type == "markdown")


def bold(text: str) -> set[str]:
    """Words in bold, in lower case and without a plural s."""
    return {word.lower().rstrip("s") for word in re.findall(r"\*\*([^*]+)\*\*", text)}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_introduces_its_words(path):
    words = TAUGHT[rules.chapter_number(path)].lower().split(", ")
    assert [word for word in words if word.rstrip("s") not in bold(prose(path))] == []


def test_the_glossary_has_them():
    glossary = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    terms = {line.lower().rstrip("s") for line in glossary.splitlines() if line[:1].isalpha()}
    words = {word.lower() for taught in TAUGHT.values() for word in taught.split(", ")}
    assert sorted(word for word in words if word.rstrip("s") not in terms) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_private_words_stand_for_them(path):
    text = prose(path).lower()
    assert [word for word in PRIVATE if word in text] == []


def test_bold_is_found():
    assert bold("A **Causal mask**, and **queries** and *keys*.") == {"causal mask", "querie"}
