"""The numbers that make one GPT another, as derived in chapter 4."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GPTConfig:
    """The shape of a GPT. Raises ValueError, naming the numbers, on what cannot work."""

    vocab_size: int  # V
    context_length: int  # the largest T
    d_model: int  # C
    n_heads: int  # H
    n_layers: int  # L
    dropout: float = 0.0
    qkv_bias: bool = True
    tied_embeddings: bool = True

    def __post_init__(self):
        for name in ("vocab_size", "context_length", "d_model", "n_heads", "n_layers"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is {value!r}: it should be a whole number, at least 1")
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model {self.d_model} can't be divided by {self.n_heads} heads")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}: it should be at least 0 and below 1")


TALES = GPTConfig(vocab_size=2048, context_length=256, d_model=128, n_heads=4, n_layers=4)
GPT2 = {
    "gpt2": GPTConfig(50_257, 1024, 768, 12, 12, dropout=0.1),
    "gpt2-medium": GPTConfig(50_257, 1024, 1024, 16, 24, dropout=0.1),
    "gpt2-large": GPTConfig(50_257, 1024, 1280, 20, 36, dropout=0.1),
    "gpt2-xl": GPTConfig(50_257, 1024, 1600, 25, 48, dropout=0.1),
}
