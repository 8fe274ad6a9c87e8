"""Attention against PyTorch's operator and its nn.MultiheadAttention."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared.model import CausalSelfAttention, causal_weights
from tests.test_gpt import SMALL, close, randomized, seeded


def test_weights_by_hand():
    """Two tokens with one channel: scores 1*2 and 1*4 for the second."""
    weights = causal_weights(torch.tensor([[5.0], [1.0]]), torch.tensor([[2.0], [4.0]]))
    second = torch.tensor([math.exp(2), math.exp(4)])
    close(weights, torch.stack([torch.tensor([1.0, 0.0]), second / second.sum()]))


def test_weights_against_the_operator():
    q, k, v = torch.randn(3, 2, 4, 7, 6, generator=seeded(), dtype=torch.float64)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    close(causal_weights(q, k) @ v, expected, 1e-12)
    assert causal_weights(q, k).triu(1).abs().max() == 0


@pytest.mark.parametrize("shift", [100.0, 1e4])
def test_large_scores(shift):
    q, k = torch.randn(2, 5, 8, generator=seeded())
    weights = causal_weights(q * shift, k)
    assert torch.isfinite(weights).all()
    close(weights.sum(-1), torch.ones(5))


@pytest.mark.parametrize("bias", [True, False])
def test_attention_against_pytorchs(bias):
    config = replace(SMALL, qkv_bias=bias)
    ours = randomized(CausalSelfAttention(config))
    theirs = nn.MultiheadAttention(24, 3, bias=True, batch_first=True).eval()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.c_attn.weight)
        theirs.in_proj_bias.copy_(ours.c_attn.bias if bias else torch.zeros(72))
        theirs.out_proj.load_state_dict(ours.c_proj.state_dict())
    x = torch.randn(2, 9, 24, generator=seeded(1))
    mask = nn.Transformer.generate_square_subsequent_mask(9)
    expected, weights = theirs(x, x, x, attn_mask=mask, average_attn_weights=False)
    close(ours(x), expected)
    q, k, _ = ours.qkv(x)
    close(causal_weights(q, k), weights)


def test_dropout_is_on_the_weights_and_only_in_training():
    attention = randomized(CausalSelfAttention(replace(SMALL, dropout=0.5)))
    x = torch.randn(1, 8, 24, generator=seeded())
    assert torch.equal(attention(x), attention(x))
    attention.train()
    assert not torch.equal(attention(x), attention(x))
    torch.manual_seed(0)
    first = torch.stack([attention(x)[0, 0] for _ in range(200)])  # it attends to itself alone,
    outcomes = first.unique(dim=0)  # with each of 3 heads or without
    assert len(outcomes) == 2**3
    close(outcomes.mean(0), attention.eval()(x)[0, 0])
