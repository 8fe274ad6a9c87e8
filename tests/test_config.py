"""Configurations: what is refused, the sizes of the book, and how many parameters they have."""

from dataclasses import FrozenInstanceError, replace

import pytest

from shared.model import GPT, GPT2, TALES, count_parameters
from tests.test_gpt import SMALL


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_heads": 5}, "d_model 24 can't be divided by 5 heads"),
        ({"n_layers": 0}, "n_layers is 0"),
        ({"vocab_size": -1}, "vocab_size is -1"),
        ({"context_length": 2.5}, "context_length is 2.5"),
        ({"d_model": "24"}, "d_model is '24'"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"dropout": -0.1}, "dropout is -0.1"),
    ],
)
def test_configurations_that_cannot_be(change, said):
    with pytest.raises(ValueError, match=said):
        replace(SMALL, **change)


def test_parameters_of_the_four_gpt2s():
    counts = [count_parameters(config) for config in GPT2.values()]
    assert counts == [124_439_808, 354_823_168, 774_030_080, 1_557_611_200]
    untied = replace(GPT2["gpt2"], tied_embeddings=False, qkv_bias=False)
    assert count_parameters(untied) == 163_009_536


@pytest.mark.parametrize("change", [{}, {"qkv_bias": False}, {"tied_embeddings": False}])
def test_the_formula_counts_what_there_is(change):
    config = replace(SMALL, **change)
    assert count_parameters(config) == sum(p.numel() for p in GPT(config).parameters())


def test_a_configuration_stays_as_it_is():
    with pytest.raises(FrozenInstanceError):
        SMALL.n_heads = 5


def test_the_sizes_of_the_book():
    """GPT-2's from the paper (Radford et al., 2019, table 2) and its released configurations."""
    assert (TALES.vocab_size, TALES.context_length, TALES.d_model) == (2048, 256, 128)
    assert (TALES.n_heads, TALES.n_layers, TALES.dropout) == (4, 4, 0.0)
    shapes = [(c.d_model, c.n_heads, c.n_layers) for c in GPT2.values()]
    assert shapes == [(768, 12, 12), (1024, 16, 24), (1280, 20, 36), (1600, 25, 48)]
    assert {(c.vocab_size, c.context_length, c.dropout) for c in GPT2.values()} == {
        (50_257, 1024, 0.1)
    }
