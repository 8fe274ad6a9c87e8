"""Practice: a model at work. Few bits, valid answers, texts that are looked up, and speed."""

from shared.book.later import later

__all__ = [
    "BM25",
    "Automaton",
    "Constraint",
    "Machine",
    "best",
    "constrained",
    "decode_bytes",
    "decode_flops",
    "dequantize",
    "embed",
    "lower_words",
    "measure",
    "model_bytes",
    "pack",
    "predicted",
    "quantize",
    "quantize_model",
    "recall_at",
    "step_seconds",
    "unpack",
]

__getattr__ = later(
    __name__,
    {
        "constrain": ("Automaton", "Constraint", "constrained"),
        "quantize": (
            "dequantize",
            "model_bytes",
            "pack",
            "quantize",
            "quantize_model",
            "unpack",
        ),
        "retrieve": ("BM25", "best", "embed", "lower_words", "recall_at"),
        "speed": (
            "Machine",
            "decode_bytes",
            "decode_flops",
            "measure",
            "predicted",
            "step_seconds",
        ),
    },
)
