"""Training against PyTorch's own parts; stopped and resumed in every way against not stopped."""

import math
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from torch import nn

from shared.model import GPT, next_token_loss
from shared.training import (
    Recipe,
    cosine_lr,
    evaluate,
    generator_of,
    make_optimizer,
    shuffled,
    start_narrow,
    train,
)
from tests.test_gpt import SMALL

ROWS = torch.randint(50, (40, 9), generator=torch.Generator().manual_seed(1))
FEED = shuffled(ROWS[:, :-1], ROWS[:, 1:], batch_size=4)
RECIPE = Recipe(steps=12, warmup=3, lr=1e-2)


def new_model(**changes):
    return GPT(replace(SMALL, **changes), torch.Generator().manual_seed(0))


def same_weights(one, other):
    return all(map(torch.equal, one.parameters(), other.parameters()))


def test_against_a_loop_of_pytorch_alone():
    """Linear warm-up and cosine by PyTorch's schedulers, decay by dimension, clipping by hand."""
    recipe = replace(RECIPE, clip=0.05)
    ours, theirs = new_model(), new_model()
    records = list(train(ours, FEED, recipe))
    decay = [
        {
            "params": [w],
            "weight_decay": 0.1 * (w.dim() > 1 and name not in ("wte.weight", "wpe.weight")),
        }
        for name, w in theirs.named_parameters()
    ]
    optimizer = torch.optim.AdamW(decay, lr=1e-2, betas=(0.9, 0.95))
    schedulers = torch.optim.lr_scheduler
    up = schedulers.LinearLR(optimizer, 1 / 3, 1, total_iters=2)
    down = schedulers.CosineAnnealingLR(optimizer, T_max=8, eta_min=5e-4)
    schedule = schedulers.SequentialLR(optimizer, [up, down], [3])
    for i, record in enumerate(records):
        inputs, targets = FEED(i)
        loss = next_token_loss(theirs(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        norm = math.sqrt(sum(float((w.grad**2).sum()) for w in theirs.parameters()))
        assert record.step == i and record.loss == pytest.approx(loss.item(), abs=1e-5)
        assert record.grad_norm == pytest.approx(norm, rel=1e-4) and norm > 0.05
        assert record.lr == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-6)
        for w in theirs.parameters():
            w.grad *= 0.05 / norm
        optimizer.step()
        schedule.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=2e-5, rtol=0)


def test_schedule():
    recipe = Recipe(steps=101, warmup=11, lr=2.0, final=0.1)
    rates = [cosine_lr(step, recipe) for step in range(101)]
    assert rates[0] == pytest.approx(2 / 11) and max(rates) == rates[10] == 2.0
    assert rates[-1] == pytest.approx(0.2) and rates[56] == pytest.approx((2 + 0.2) / 2, rel=0.02)
    assert cosine_lr(0, Recipe(steps=1, warmup=0)) == 4e-3


def test_matrices_decay_and_tied_weights_once():
    model = new_model()
    names = {weight: name for name, weight in model.named_parameters()}
    groups = make_optimizer(model, RECIPE).param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    decaying, others = ({names[weight] for weight in group["params"]} for group in groups)
    assert decaying == {
        name for name in names.values() if "h." in name and "weight" in name and "ln" not in name
    }
    assert others == {*names.values()} - decaying and {"wte.weight", "ln_f.bias"} < others


def test_a_start_for_narrow_models():
    """As wide as GPT-2: nothing changes but the token vectors. A quarter: all is twice as large."""
    for width, times in ((768, 1), (192, 2)):
        config = replace(SMALL, d_model=width, n_heads=3)
        before, after = (GPT(config, torch.Generator().manual_seed(0)) for _ in range(2))
        start_narrow(after)
        pairs = zip(before.named_parameters(), after.parameters(), strict=True)
        for (name, old), new in pairs:
            factor = {"wte.weight": 2 * times, "wpe.weight": 1}.get(name, times)
            torch.testing.assert_close(new, old * (factor if old.dim() == 2 else 1))


def test_frozen_weights_stay():
    model = new_model()
    model.h[0].requires_grad_(False)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    list(train(model, FEED, RECIPE))
    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name]) == name.startswith("h.0.")


def test_accumulation_is_a_larger_batch():
    large, small = new_model(), new_model()
    halves = lambda i: tuple(part[i % 2 :: 2] for part in FEED(i // 2))  # noqa: E731
    one = list(train(large, FEED, RECIPE))
    two = list(train(small, halves, replace(RECIPE, accumulate=2)))
    assert [r.loss for r in two] == pytest.approx([r.loss for r in one], abs=1e-5)
    for a, b in zip(large.parameters(), small.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=0)


def test_it_learns_and_bfloat16_nearly_the_same():
    rows = (torch.arange(9) + torch.arange(40)[:, None]) % 50
    feed = shuffled(rows[:, :-1], rows[:, 1:], batch_size=8)
    for bf16 in (False, True):
        model, dtypes = new_model(), set()

        def loss_of(logits, targets, dtypes=dtypes):
            dtypes.add(logits.dtype)
            return next_token_loss(logits, targets)

        recipe = Recipe(steps=150, warmup=10, lr=1e-2, bf16=bf16)
        first, *_, last = train(model, feed, recipe, loss_of)
        assert dtypes == {torch.bfloat16 if bf16 else torch.float32}
        assert first.loss == pytest.approx(math.log(50), abs=0.15) and last.loss < 0.1
        assert model.wte.weight.dtype == torch.float32


def test_evaluation_counts_targets_and_not_batches():
    model = new_model(dropout=0.5).train()
    inputs, targets = ROWS[:, :-1], ROWS[:, 1:].clone()
    targets[:30, 2:] = -100
    targets[:7] = -100
    logits = model.eval()(inputs).log_softmax(-1).detach()
    plain = [-logits[b, t, y] for b, row in enumerate(targets) for t, y in enumerate(row) if y >= 0]
    model.train()
    for batch_size in (1, 7, 40, 64):
        found = evaluate(model, inputs, targets, batch_size)
        assert found == pytest.approx(float(sum(plain) / len(plain)), abs=1e-5)
    assert model.training
    with pytest.raises(ValueError, match="none of the targets"):
        evaluate(model, inputs, torch.full_like(targets, -100))


def test_unknown_ids_are_named_before_the_model_sees_them():
    inputs, targets = ROWS[:, :-1].clone(), ROWS[:, 1:]
    V = new_model().config.vocab_size
    inputs[3, 2] = V
    with pytest.raises(ValueError, match=f"ids 0 to {V}: the vocabulary has 0 to {V - 1}"):
        evaluate(new_model(), inputs, targets)
    with pytest.raises(ValueError, match=f"ids 0 to {V}"):
        next(train(new_model(), lambda i: (inputs, targets), RECIPE))
    inputs[3, 2], targets = 0, targets.clone()
    targets[0, 0], targets[1, 1] = -100, V  # the first does not count, the second cannot be
    with pytest.raises(ValueError, match=f"ids 0 to {V}"):
        next(train(new_model(), lambda i: (inputs, targets), RECIPE))
    targets[1, 1] = -7
    with pytest.raises(ValueError, match="ids -7 to"):
        evaluate(new_model(), inputs, targets)


@pytest.mark.parametrize("stop", [1, 4, 5, 11, 12])
def test_a_stopped_run_ends_in_the_same_bits(tmp_path, stop):
    whole, first, second = (new_model(dropout=0.2) for _ in range(3))
    expected = list(train(whole, FEED, RECIPE))
    seen = []
    for record in train(first, FEED, RECIPE, folder=tmp_path, save_every=2):
        seen.append(record)
        if len(seen) == stop:
            break
    torch.rand(7)  # what others draw changes nothing
    rest = list(train(second, FEED, RECIPE, folder=tmp_path, save_every=2))
    done = (stop - 1) // 2 * 2  # a step is saved when the next is asked for
    assert seen[:done] + rest == expected
    assert same_weights(second, whole)


def test_dropout_differs_from_step_to_step():
    model = new_model(dropout=0.5)
    model.requires_grad_(False)
    model.ln_f.bias.requires_grad_()  # one weight must be trained; so small a step changes nothing
    same = FEED(0)
    losses = [r.loss for r in train(model, lambda i: same, replace(RECIPE, lr=1e-30))]
    assert len(set(losses)) == 12


def test_dropout_differs_by_seed_and_by_process(monkeypatch):
    monkeypatch.setattr("shared.training.loop.distributed.all_reduce", lambda total: None)
    losses = set()
    for seed, rank in ((0, 0), (1, 0), (0, 1)):
        monkeypatch.setattr("shared.training.loop.processes", lambda rank=rank: (rank, 2))
        losses.add(next(train(new_model(dropout=0.5), FEED, replace(RECIPE, seed=seed))).loss)
    assert len(losses) == 3


def test_gradients_travel_once_per_step(monkeypatch):
    """Of two batches only the second is computed outside of no_sync."""
    monkeypatch.setattr("shared.training.loop.distributed.all_reduce", lambda total: None)
    monkeypatch.setattr("shared.training.loop.processes", lambda: (0, 2))
    model, seen, quiet = new_model(), [], []

    @contextmanager
    def no_sync():
        quiet.append(True)
        yield
        quiet.pop()

    model.no_sync = no_sync
    model.register_forward_hook(lambda *_: seen.append(bool(quiet)))
    list(train(model, FEED, Recipe(steps=2, warmup=1, accumulate=2)))
    assert seen == [True, False] * 2


def test_gradients_of_before_do_not_count():
    one, other = new_model(), new_model()
    next_token_loss(one(ROWS[:4, :-1]), ROWS[:4, 1:]).backward()
    assert list(train(one, FEED, RECIPE)) == list(train(other, FEED, RECIPE))


def test_another_recipe_or_model_is_refused(tmp_path):
    list(train(new_model(), FEED, RECIPE, folder=tmp_path))
    for recipe, model, said in [
        (replace(RECIPE, lr=3e-3), new_model(), r"another recipe; .*'lr': \(0.01, 0.003\)"),
        (RECIPE, new_model(dropout=0.1), r"another model; .*'dropout': \(0.0, 0.1\)"),
        (RECIPE, nn.Linear(2, 2), r"another model; .*'weight': \(None, \[2, 2\]\)"),
    ]:
        with pytest.raises(ValueError, match=said):
            next(train(model, FEED, recipe, folder=tmp_path))


def test_a_damaged_state_is_refused(tmp_path):
    list(train(new_model(), FEED, RECIPE, folder=tmp_path))
    path = tmp_path / "state.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="checksum"):
        next(train(new_model(), FEED, RECIPE, folder=tmp_path))


def test_what_a_killed_process_left_is_removed(tmp_path):
    """A process that is killed while it saves leaves its unfinished file behind."""
    left_over = tmp_path / "state.safetensors.1.tmp"
    left_over.write_bytes(b"half of a state")
    list(train(new_model(), FEED, RECIPE, folder=tmp_path))
    assert not left_over.exists() and (tmp_path / "state.safetensors").exists()


def test_not_finite_stops_and_keeps_the_last_state(tmp_path):
    def feed(i):
        if i == 7:
            model.ln_f.weight.data[0] = float("nan")
        return FEED(i)

    model = new_model()
    with pytest.raises(FloatingPointError, match="step 7: the loss is nan"):
        list(train(model, feed, RECIPE, folder=tmp_path, save_every=2))
    whole, resumed = new_model(), new_model()
    list(train(whole, FEED, RECIPE))
    assert [r.step for r in train(resumed, FEED, RECIPE, folder=tmp_path)] == list(range(6, 12))
    assert same_weights(whole, resumed)


def test_a_full_disk_keeps_the_last_state(tmp_path, monkeypatch):
    import os

    def full(*_):
        raise OSError(28, "No space left on device")

    list(
        zip(range(4), train(new_model(), FEED, RECIPE, folder=tmp_path, save_every=2), strict=False)
    )
    before = (tmp_path / "state.safetensors").read_bytes()
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, "fsync", full)
        list(train(new_model(), FEED, RECIPE, folder=tmp_path, save_every=2))
    assert [p.name for p in tmp_path.iterdir()] == ["state.safetensors"]
    assert (tmp_path / "state.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"steps": 5, "lr": 0}, "lr is 0"),
        ({"steps": 5, "warmup": 5}, "warm-up of 5 steps does not fit 5"),
        ({"steps": 5, "warmup": 0, "accumulate": 0}, "accumulate is 0"),
        ({"steps": 5, "warmup": 0, "lr": float("nan")}, "lr is nan"),
        ({"steps": 5, "warmup": 0, "lr": float("inf")}, "lr is inf"),
        ({"steps": 5, "warmup": 0, "final": -1.0}, "final is -1.0"),
        ({"steps": 5, "warmup": 0, "final": 2.0}, "final is 2.0"),
        ({"steps": 5.0}, "steps is 5.0: it should be a whole number"),
        ({"steps": float("inf")}, "steps is inf"),
        ({"steps": 5, "warmup": 1.5}, "warmup is 1.5"),
        ({"steps": 5, "warmup": 0, "accumulate": 2.0}, "accumulate is 2.0"),
        ({"steps": 5, "warmup": 0, "seed": 1.5}, "seed is 1.5"),
        ({"steps": 5, "warmup": 0, "bf16": "no"}, "bf16 is 'no'"),
        ({"steps": 5, "warmup": 0, "weight_decay": -0.1}, "weight_decay is -0.1"),
    ],
)
def test_recipes_that_cannot_work(values, said):
    with pytest.raises(ValueError, match=said):
        Recipe(**values)


def test_generator_of_is_what_the_seed_depends_on():
    assert generator_of(1, 2).initial_seed() != generator_of(2, 1).initial_seed()
