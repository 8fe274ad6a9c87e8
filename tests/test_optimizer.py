"""Muon against torch's own and the singular value decomposition; two optimizers as one."""

import pytest
import torch
from torch import nn

from shared.model import GPT, GPTConfig
from shared.training import Recipe, make_optimizer
from shared.training.optimizer import Muon, Optimizers, orthogonal

TINY = GPTConfig(20, 8, 8, 2, 2)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (12, 5), (1, 7)])
def test_orthogonal_keeps_directions_and_evens_lengths(shape):
    matrix = normal(*shape)
    u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonal(matrix)
    assert found.shape == matrix.shape
    inner = u.T @ found @ vt.T  # diagonal, if the directions are kept
    assert (inner - inner.diag().diag()).abs().max() < 1e-4
    lengths = inner.diag()[s > 0.1 * s.max()]
    assert lengths.min() > 0.6 and lengths.max() < 1.25
    torch.testing.assert_close(orthogonal(1000 * matrix), found)


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (12, 5)])
def test_steps_like_those_of_torch(shape):
    """torch.optim.Muon computes its products in bfloat16: hence the tolerance."""
    ours, theirs = (nn.Parameter(normal(*shape, seed=1)) for _ in range(2))
    both = Muon([ours], lr=0.1), torch.optim.Muon([theirs], lr=0.1, weight_decay=0.0)
    start = ours.detach().clone()
    for step in range(4):
        for weight, optimizer in zip((ours, theirs), both, strict=True):
            weight.grad = normal(*shape, seed=10 + step)
            optimizer.step()
    moved = (ours - start).norm()
    assert (ours - theirs).norm() < 0.03 * moved


def test_each_weight_has_one_optimizer_and_tables_are_left_to_adam():
    model = GPT(TINY, torch.Generator().manual_seed(0))
    optimizer = make_optimizer(model, Recipe(steps=10, warmup=1, muon_lr=0.02))
    muon, adam = optimizer.optimizers
    kinds = [{id(w) for g in one.param_groups for w in g["params"]} for one in (muon, adam)]
    assert not kinds[0] & kinds[1]
    assert kinds[0] | kinds[1] == {id(weight) for weight in model.parameters()}
    names = {n for n, weight in model.named_parameters() if id(weight) in kinds[0]}
    assert names == {n for n, w in model.named_parameters() if w.dim() == 2 and n[:2] == "h."}
    assert isinstance(muon, Muon) and isinstance(adam, torch.optim.AdamW)
    assert [group["weight_decay"] for group in adam.param_groups] == [0.0]  # only matrices decay


def test_without_a_rate_for_muon_there_is_none():
    optimizer = make_optimizer(GPT(TINY), Recipe(steps=10, warmup=1, weight_decay=0.3))
    (adam,) = optimizer.optimizers
    assert [group["weight_decay"] for group in adam.param_groups] == [0.3, 0.0]
    assert {w.dim() for w in adam.param_groups[0]["params"]} == {2}


def test_rates_are_scaled_from_their_highest():
    model = GPT(TINY)
    optimizer = make_optimizer(model, Recipe(steps=10, warmup=1, lr=0.004, muon_lr=0.02))
    for share in (0.5, 1.0, 0.25):
        optimizer.scale_lr(share)
        assert [g["lr"] for g in optimizer.param_groups] == [0.02 * share, 0.004 * share]


def test_what_is_remembered_of_a_weight():
    model = GPT(TINY, torch.Generator().manual_seed(0))
    optimizer = make_optimizer(model, Recipe(steps=10, warmup=1, muon_lr=0.02))
    model(torch.tensor([[1, 2, 3]])).sum().backward()
    optimizer.step()
    kinds = {n: {*optimizer.state_of(w)} for n, w in model.named_parameters()}
    assert kinds["h.0.mlp.c_fc.weight"] == {"momentum_buffer"}
    assert kinds["wte.weight"] == {"step", "exp_avg", "exp_avg_sq"}
    assert optimizer.state_of(nn.Parameter(torch.zeros(1))) == {}
    optimizer.zero_grad()
    assert all(weight.grad is None for weight in model.parameters())


def test_a_weight_without_gradient_stays():
    weight = nn.Parameter(normal(3, 4))
    before = weight.detach().clone()
    Optimizers(Muon([weight], 0.1)).step()
    assert torch.equal(weight, before)
