"""A GPT that classifies, as derived in chapter 6: a vector for each text, and a head on it.

Shapes: N texts or B in a batch, T tokens, C = d_model, K classes.
"""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from shared.book import read_tensors, write_tensors
from shared.model import GPT, GPTConfig
from shared.text import END_OF_TEXT, BPEEncoder

PAD = -1  # no token has this id: it fills up the rows of shorter texts


def encode_rows(
    tokenizer: BPEEncoder, texts: Sequence[str], context_length: int, truncate: bool = False
) -> Tensor:
    """Texts as rows: the end token, as before each text in pretraining, ids, padding.  (N, T)

    Raises ValueError on an empty text, and on one too long unless `truncate` may cut its end off.
    """
    rows = []
    for i, text in enumerate(texts):
        if not text.strip():
            raise ValueError(f"text {i} is empty: {text!r}")
        row = [tokenizer.special_tokens[END_OF_TEXT], *tokenizer.encode_ordinary(text)]
        if len(row) > context_length and not truncate:
            raise ValueError(
                f"text {i} has {len(row) - 1} tokens: at most {context_length - 1} fit; "
                f"truncate=True reads only those"
            )
        rows.append(torch.tensor(row[:context_length]))
    if not rows:
        raise ValueError("there are no texts")
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)


class GPTClassifier(nn.Module):
    """A GPT's body, copied, and a new head on the last real token's vector.

    The head begins with zeros: at first all classes are equally probable.
    """

    def __init__(self, gpt: GPT, classes: Sequence[str]):
        super().__init__()
        self.classes, self.gpt = check_classes(classes), deepcopy(gpt)
        self.gpt.lm_head = nn.Identity()  # the old head makes way
        self.head = nn.Linear(gpt.config.d_model, len(classes))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def features(self, ids: Tensor) -> Tensor:
        """The vector of each row's last real token.  (B, T) -> (B, C)"""
        lengths = real_lengths(ids)
        # what is padding in every row costs nothing
        ids = ids[:, : lengths.max()]
        x = self.gpt.hidden(ids.masked_fill(ids == PAD, 0))  # (B, T, C)
        return x[torch.arange(len(ids), device=ids.device), lengths - 1]

    def forward(self, ids: Tensor) -> Tensor:
        """The logits of the classes.  (B, T) -> (B, K)"""
        return self.head(self.features(ids))


def check_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """The names of the classes. Raises ValueError unless there are two at least, all different."""
    if isinstance(classes, str) or not 2 <= len({*classes}) == len(classes):
        raise ValueError(f"the classes {classes!r}: a list of at least two, all different")
    return tuple(classes)


def real_lengths(ids: Tensor) -> Tensor:
    """How many tokens stand before a row's padding.  (B, T) -> (B,)

    Raises ValueError on a row without tokens, or with padding before or between them.
    """
    if ids.dim() != 2 or not ids.numel():
        raise ValueError(f"ids are (B, T), at least one row and token, not {tuple(ids.shape)}")
    real = ids != PAD
    lengths = real.sum(dim=1)  # (B,)
    expected = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
    wrong = ((lengths == 0) | (real != expected).any(dim=1)).nonzero()[:, 0].tolist()
    if wrong:
        raise ValueError(f"rows {wrong} have no token, or padding before their last token")
    return lengths


def save_classifier(model: GPTClassifier, path: str | Path) -> None:
    """Write weights, shape and class names into one file. Raises ValueError on unmerged LoRA."""
    weights = model.state_dict()
    plain = GPTClassifier(GPT(model.gpt.config), model.classes).state_dict()
    if more := sorted(weights.keys() - plain.keys()):
        raise ValueError(f"{len(more)} weights are not a classifier's: {more[0]}; merge LoRA first")
    notes = {"config": json.dumps(asdict(model.gpt.config)), "classes": json.dumps(model.classes)}
    write_tensors(path, {name: w.contiguous() for name, w in weights.items()}, **notes)


def load_classifier(path: str | Path) -> GPTClassifier:
    """What `save_classifier` wrote. Raises ValueError if it is damaged or something else."""
    weights, notes = read_tensors(path)
    try:
        config = GPTConfig(**json.loads(notes["config"]))
        model = GPTClassifier(GPT(config), json.loads(notes["classes"]))
        model.load_state_dict(weights)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no classifier: {error!r}") from error
    return model.eval()
