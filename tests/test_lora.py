"""LoRA against the matrix that it stands for."""

import pytest
import torch
from torch import nn

from shared.model import GPT, LoRALinear, add_lora, merge_lora
from shared.tasks import GPTClassifier, class_loss, predict, save_classifier
from shared.training import Recipe, shuffled, train
from tests.test_gpt import SMALL, close, randomized, seeded

NAMES = ("c_attn", "c_proj", "c_fc")
IDS = torch.randint(50, (4, 9), generator=seeded(5))


def layer(rank=3, alpha=6.0, bias=True):
    return LoRALinear(nn.Linear(10, 7, bias=bias), rank, alpha, seeded())


def test_changes_nothing_at_first():
    linear, x = nn.Linear(10, 7), torch.randn(2, 5, 10, generator=seeded())
    assert torch.equal(LoRALinear(linear, 3, 6, seeded())(x), linear(x))
    model = randomized(GPT(SMALL))
    before = model(IDS)
    add_lora(model, 2, 4, NAMES, seeded())
    assert torch.equal(model(IDS), before)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rank, alpha", [(1, 1.0), (3, 6.0), (7, 2.0)])
def test_is_a_matrix_of_its_rank(rank, alpha, bias):
    lora = randomized(layer(rank, alpha, bias))
    weight = lora.linear.weight + alpha / rank * lora.B @ lora.A
    x = torch.randn(4, 10, generator=seeded())
    expected = x @ weight.T + (lora.linear.bias if bias else 0)
    close(lora(x), expected)
    assert torch.linalg.matrix_rank(weight - lora.linear.weight) == rank
    merged = lora.merge()
    assert type(merged) is nn.Linear and merged.weight.requires_grad
    close(merged(x), expected)


def test_starts_at_the_size_of_its_inputs():
    lora = LoRALinear(nn.Linear(400, 300), 200, 1, seeded())
    assert not lora.B.any()
    assert lora.A.std().item() == pytest.approx(400**-0.5, rel=0.02)
    again, other = (LoRALinear(nn.Linear(400, 300), 200, 1, seeded(i)) for i in (0, 1))
    assert torch.equal(lora.A, again.A) and not torch.equal(lora.A, other.A)


@pytest.mark.parametrize("rank", [0, -1, 8])
def test_wrong_rank(rank):
    with pytest.raises(ValueError, match=rf"rank {rank}: a matrix \(7, 10\) has at most 7"):
        layer(rank)


def test_learns_only_its_own_matrices():
    model = GPTClassifier(randomized(GPT(SMALL)), ("no", "yes"))
    layers = add_lora(model.gpt, 2, 4, NAMES, seeded())
    assert len(layers) == 4 * SMALL.n_layers
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    feed = shuffled(IDS, torch.tensor([0, 1, 1, 0]), 4)
    list(train(model, feed, Recipe(3, lr=0.01, warmup=0), class_loss))
    moved = {n for n, w in model.named_parameters() if not torch.equal(w, before[n])}
    assert moved == {n for n in before if n.endswith((".A", ".B")) or n.startswith("head.")}


def test_merging_a_model(tmp_path):
    model = randomized(GPTClassifier(GPT(SMALL), ("no", "yes")))
    names = [name for name, _ in model.named_parameters()]
    add_lora(model.gpt, 2, 4, ("c_attn", "c_fc"), seeded())
    randomized(model, seed=3)
    before = predict(model, IDS)
    merge_lora(model)
    close(predict(model, IDS), before, 1e-4)
    assert [name for name, _ in model.named_parameters()] == names
    save_classifier(model, tmp_path / "model.safetensors")


def test_a_name_that_no_layer_has():
    with pytest.raises(ValueError, match="no linear layer is called q_proj or v_proj"):
        add_lora(GPT(SMALL), 2, 4, ("q_proj", "v_proj"))


def test_only_linear_layers_of_these_names():
    model = GPT(SMALL)
    layers = add_lora(model, 2, 4, ["c_fc", "mlp"], seeded())
    assert [type(block.mlp.c_fc) for block in model.h] == [LoRALinear] * 2
    assert len(layers) == 2 and isinstance(model.h[0].attn.c_attn, nn.Linear)


def test_each_layer_begins_with_the_numbers_of_the_seed():
    first, again, other = (add_lora(GPT(SMALL), 2, 4, NAMES, seeded(seed)) for seed in (0, 0, 1))
    assert all(torch.equal(a.A, b.A) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a.A, b.A) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("rank, names", [(2, ("q_proj",)), (999, NAMES), (2, ("lm_head",))])
def test_what_cannot_be_changes_nothing(rank, names):
    """The head is tied to the embedding: a change of one would be a change of both."""
    model = GPT(SMALL)
    before = [*model.named_parameters()]
    said = {"q_proj": "no linear layer", "lm_head": "lm_head shares"}.get(names[0], "rank 999")
    with pytest.raises(ValueError, match=said):
        add_lora(model, rank, 4, names, seeded())
    assert [name for name, _ in before] == [name for name, _ in model.named_parameters()]
    assert all(weight.requires_grad for _, weight in before)


def test_merged_twice_is_merged_once():
    lora, x = randomized(layer()), torch.randn(4, 10, generator=seeded())
    expected = lora(x)
    close(lora.merge()(x), expected)
    close(lora(x), expected)
    close(lora.merge()(x), expected)
