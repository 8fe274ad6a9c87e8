"""Writing with a model, as derived in chapter 4: one token, and the next, and the next.

Shapes: B rows, T tokens.
"""

import torch
from torch import Tensor

from shared.gpt import GPT


@torch.no_grad()
def generate(model: GPT, ids: Tensor, n_tokens: int, end: int | None = None) -> Tensor:
    """Go on with each row, always with the likeliest token.  (B, T) -> (B, T + n), n <= n_tokens

    A row that has come to `end` is filled up with it; when all rows have, generation stops. The
    model sees as many of the last tokens as its context holds. Raises ValueError as the model does.
    """
    was_training, ended = model.training, torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    model.eval()
    try:
        for _ in range(n_tokens):
            x = model.hidden(ids[:, -model.config.context_length :])[:, -1]  # (B, C)
            new = model.lm_head(x).argmax(dim=-1)  # (B,)
            if end is not None:
                new = new.masked_fill(ended, end)
                ended = new == end
            ids = torch.cat([ids, new[:, None]], dim=1)
            if end is not None and ended.all():
                break
    finally:
        model.train(was_training)
    return ids
