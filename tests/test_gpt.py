"""Blocks and the whole model, against PyTorch's and transformers' own."""

import math
import re
from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared.model import (
    GPT,
    GPT2,
    TALES,
    Block,
    CausalSelfAttention,
    FeedForward,
    GPTConfig,
    LayerNorm,
    check_tokens,
    init_weights,
    next_token_loss,
)
from shared.model.weights import from_gpt2, to_gpt2

SMALL = GPTConfig(vocab_size=50, context_length=16, d_model=24, n_heads=3, n_layers=2)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def randomized(module, seed=0, size=0.3):
    """Weights far from their careful start, so that nothing is hidden by zeros and ones."""
    generator = seeded(seed)
    with torch.no_grad():
        for weight in module.parameters():
            weight.normal_(0, size, generator=generator)
    return module.eval()


def close(a, b, tolerance=1e-5):
    torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


# Parts of a block


def test_layer_norm():
    ours, theirs = randomized(LayerNorm(24)), nn.LayerNorm(24)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, 5, 24, generator=seeded()) * 50 + 100
    close(ours(x), theirs(x))
    fresh = LayerNorm(24)(x)
    close(fresh.mean(-1), torch.zeros(3, 5), 1e-4)
    close(fresh.var(-1, correction=0), torch.ones(3, 5), 1e-3)


def test_feed_forward():
    ours = randomized(FeedForward(SMALL))
    x = torch.randn(2, 5, 24, generator=seeded())
    hidden = x @ ours.c_fc.weight.T + ours.c_fc.bias
    assert hidden.shape == (2, 5, 96)
    gelu = 0.5 * hidden * (1 + torch.tanh((2 / math.pi) ** 0.5 * (hidden + 0.044715 * hidden**3)))
    close(ours(x), gelu @ ours.c_proj.weight.T + ours.c_proj.bias)


def test_block_against_pytorchs():
    ours = randomized(Block(SMALL))
    theirs = nn.TransformerEncoderLayer(
        24, 3, 96, 0.0, nn.GELU(approximate="tanh"), batch_first=True, norm_first=True
    ).eval()
    pairs = {
        "self_attn.in_proj_": "attn.c_attn.",
        "self_attn.out_proj.": "attn.c_proj.",
        "linear1.": "mlp.c_fc.",
        "linear2.": "mlp.c_proj.",
        "norm1.": "ln_1.",
        "norm2.": "ln_2.",
    }
    state = ours.state_dict()
    theirs.load_state_dict(
        {a + part: state[b + part] for a, b in pairs.items() for part in ("weight", "bias")}
    )
    x = torch.randn(2, 9, 24, generator=seeded(1))
    mask = nn.Transformer.generate_square_subsequent_mask(9)
    close(ours(x), theirs(x, src_mask=mask, is_causal=True))


class Ones(nn.Module):
    """In place of attention and feed-forward: adds one to everything."""

    def forward(self, x):
        return torch.ones_like(x)


def test_dropout_of_a_block_is_on_what_is_added():
    """Each of the two ones is dropped or doubled; the stream itself passes untouched."""
    block = Block(replace(SMALL, dropout=0.5))
    block.attn, block.mlp = Ones(), Ones()
    x = torch.randint(-9, 9, (50, 16, 24), generator=seeded()).float()
    torch.manual_seed(0)
    values, counts = (block(x) - x).unique(return_counts=True)
    assert values.tolist() == [0, 2, 4]
    close(counts / x.numel(), torch.tensor([0.25, 0.5, 0.25]), 0.03)  # dropped apart
    assert ((block.eval()(x) - x) == 2).all()


# The model


def hugging_face(config, dropout=0.0):
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.vocab_size,
            n_positions=config.context_length,
            n_embd=config.d_model,
            n_head=config.n_heads,
            n_layer=config.n_layers,
            resid_pdrop=dropout,
            embd_pdrop=dropout,
            attn_pdrop=dropout,
            tie_word_embeddings=config.tied_embeddings,
        )
    )


def compare_with_transformers(config, T):
    theirs = randomized(hugging_face(config), size=0.05)
    ours = GPT(config).eval()
    from_gpt2(ours, theirs.state_dict())
    ids = torch.randint(config.vocab_size, (2, T), generator=seeded(2))
    targets = torch.randint(config.vocab_size, (2, T), generator=seeded(3))
    logits, expected = ours(ids), theirs(ids).logits
    limit = 1e-5 * expected.detach().abs().max().clamp(min=1)
    assert (logits - expected).abs().max() < limit
    next_token_loss(logits, targets).backward()
    F.cross_entropy(expected.flatten(0, 1), targets.flatten()).backward()
    found = {
        f"transformer.{n}".replace("transformer.lm", "lm"): p for n, p in ours.named_parameters()
    }
    for name, weight in theirs.named_parameters():
        gradient = found.pop(name).grad
        gradient = gradient.T if "c_" in name and weight.dim() == 2 else gradient
        assert (gradient - weight.grad).abs().max() < 1e-4 * weight.grad.abs().max().clamp(max=1)
    assert not found


@pytest.mark.parametrize("tied", [True, False])
def test_model_against_transformers(tied):
    compare_with_transformers(replace(SMALL, tied_embeddings=tied), 16)


@pytest.mark.slow
def test_model_of_124_million_against_transformers():
    compare_with_transformers(replace(GPT2["gpt2"], dropout=0.0), 24)


def test_the_future_cannot_change_the_past():
    model = randomized(GPT(SMALL)).double()
    x = torch.randn(1, 9, 24, generator=seeded(), dtype=torch.float64, requires_grad=True)
    for block in (model.h[0], nn.Sequential(*model.h)):
        for t in range(9):
            (gradient,) = torch.autograd.grad(block(x)[0, t].sum(), x)
            assert gradient[0, t + 1 :].abs().sum() == 0
            assert (gradient[0, : t + 1].abs().sum(-1) > 0).all()


def test_no_logit_depends_on_a_later_token():
    """The whole model, embeddings to logits: not by one bit, and with no derivative."""
    model = randomized(GPT(replace(SMALL, tied_embeddings=False)))
    ids = torch.randint(50, (2, 9), generator=seeded())
    embedded = []
    model.wte.register_forward_hook(lambda module, inputs, output: embedded.append(output))
    logits = model(ids)
    for t in range(9):
        (gradient,) = torch.autograd.grad(logits[:, t].sum(), embedded[0], retain_graph=True)
        moved = gradient.abs().sum(-1) > 0  # (B, T)
        assert moved[:, : t + 1].all() and not moved[:, t + 1 :].any()
        changed = ids.clone()
        changed[:, t:] = (changed[:, t:] + 1) % 50
        other = model(changed)
        assert torch.equal(other[:, :t], logits[:, :t])
        assert (other[:, t] != logits[:, t]).any(-1).all()


def test_without_a_mask_and_positions_order_does_not_matter():
    attention = randomized(CausalSelfAttention(SMALL))
    x = torch.randn(1, 7, 24, generator=seeded())
    order = torch.randperm(7, generator=seeded(1))

    def last(x):  # the last token sees all the others
        return attention(x)[0, -1]

    order[order == 6] = order[-1].item()
    order[-1] = 6
    close(last(x), last(x[:, order]))
    model = randomized(GPT(SMALL))
    ids = torch.tensor([[1, 2, 3, 4], [2, 1, 3, 4]])
    assert (model(ids)[0, -1] - model(ids)[1, -1]).abs().max() > 1e-3


def test_every_parameter_gets_a_gradient():
    model = randomized(GPT(replace(SMALL, tied_embeddings=False)))
    ids = torch.randint(50, (4, 16), generator=seeded())
    next_token_loss(model(ids), ids.roll(-1, 1)).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and weight.grad.abs().max() > 0, name


@pytest.mark.parametrize("config", [SMALL, TALES], ids=["small", "tales"])
def test_untrained_loss(config):
    model = GPT(config, seeded()).eval()
    ids = torch.randint(config.vocab_size, (8, 16), generator=seeded(1))
    targets = torch.randint(config.vocab_size, (8, 16), generator=seeded(2))
    assert abs(next_token_loss(model(ids), targets) - math.log(config.vocab_size)) < 0.1


def test_gradients_by_finite_differences():
    config = GPTConfig(vocab_size=7, context_length=5, d_model=4, n_heads=2, n_layers=1)
    model = randomized(GPT(config)).double()
    ids = torch.randint(7, (2, 5), generator=seeded())

    def loss(*weights):
        named = dict(zip(dict(model.named_parameters()), weights, strict=True))
        return next_token_loss(torch.func.functional_call(model, named, ids), ids.roll(1, 1))

    weights = tuple(w.detach().requires_grad_() for w in model.parameters())
    assert torch.autograd.gradcheck(loss, weights)


def test_random_start():
    model = GPT(replace(TALES, n_layers=8), seeded())
    again = GPT(replace(TALES, n_layers=8), seeded())
    for name, weight in model.named_parameters():
        assert torch.equal(weight, again.get_parameter(name))
        spread = 0.02 / 4 if "c_proj" in name else 0.02
        if weight.dim() == 2:
            assert abs(weight.std() / spread - 1) < 0.05 and abs(weight.mean()) < spread / 20, name
        else:
            expected = 1.0 if "ln" in name and name.endswith("weight") else 0.0
            assert (weight == expected).all(), name
    assert not torch.equal(model.wte.weight, GPT(TALES, seeded(1)).wte.weight)


def test_init_weights_is_a_fresh_start():
    model, fresh = GPT(SMALL, seeded(1)), GPT(SMALL, seeded(2))
    init_weights(randomized(model), seeded(2))
    for name, weight in model.named_parameters():
        assert torch.equal(weight, fresh.get_parameter(name)), name


@pytest.mark.parametrize("tied", [True, False])
def test_with_a_generator_the_global_random_stream_stays(tied):
    before = torch.get_rng_state()
    GPT(replace(SMALL, tied_embeddings=tied), seeded())
    assert torch.equal(torch.get_rng_state(), before)


def test_tied_embeddings_are_one():
    tied, untied = GPT(SMALL), GPT(replace(SMALL, tied_embeddings=False))
    assert tied.lm_head.weight is tied.wte.weight
    assert untied.lm_head.weight is not untied.wte.weight


def test_dropout_of_the_model():
    model = randomized(GPT(replace(SMALL, dropout=0.3)))
    ids = torch.randint(50, (1, 16), generator=seeded())
    assert torch.equal(model(ids), model(ids))
    model.train()
    assert not torch.equal(model(ids), model(ids))
    model.h = nn.ModuleList()  # the embeddings alone
    assert not torch.equal(model(ids), model(ids))


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (torch.zeros(1, 17, dtype=torch.long), "17 tokens: the context is 1 to 16"),
        (torch.zeros(1, 0, dtype=torch.long), "0 tokens"),
        (torch.zeros(1, 4), r"ids are int64 or int32 \(B, T\), not torch.float32 \(1, 4\)"),
        (torch.zeros(1, 4, dtype=torch.bool), r"not torch.bool \(1, 4\)"),
        (torch.zeros(1, 4, dtype=torch.uint8), r"not torch.uint8 \(1, 4\)"),
        (torch.zeros(1, 4, dtype=torch.int16), r"not torch.int16 \(1, 4\)"),
        (torch.zeros(4, dtype=torch.long), r"not torch.int64 \(4,\)"),
    ],
)
def test_ids_that_cannot_be(ids, said):
    with pytest.raises(ValueError, match=said):
        GPT(SMALL)(ids)


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (torch.tensor([[3, 50]]), "ids 3 to 50: the vocabulary has 0 to 49"),
        (torch.tensor([[-1, 5]]), "ids -1 to 5"),
    ],
)
def test_unknown_tokens(ids, said):
    """Where ids come in they are checked; within the model they are only looked up."""
    with pytest.raises(ValueError, match=said):
        check_tokens(ids, SMALL)
    with pytest.raises(IndexError):
        GPT(SMALL)(ids)


def test_known_tokens():
    for ids in (torch.tensor([[0, 49]]), torch.zeros(0, 4, dtype=torch.long)):
        check_tokens(ids, SMALL)
    check_tokens(torch.full((1, 4), 50, device="meta"), SMALL)  # no device has to answer


# What PyTorch does with whole models


def compiled(model):
    return torch.compile(model, fullgraph=True, backend="aot_eager")  # no C++ compiler needed


def exported(model):
    T = torch.export.Dim("T", min=2, max=SMALL.context_length)
    ids = torch.zeros(2, 5, dtype=torch.long)
    return torch.export.export(model, (ids,), dynamic_shapes=({1: T},)).module()


@pytest.mark.parametrize("make", [compiled, exported, deepcopy])
@pytest.mark.parametrize("tied", [True, False])
def test_made_into_something_else(make, tied):
    model = randomized(GPT(replace(SMALL, tied_embeddings=tied)))
    other = make(model)
    for T in (7, 16):
        ids = torch.randint(50, (2, T), generator=seeded(T))
        close(other(ids), model(ids))


def test_no_part_of_a_copy_is_shared_and_its_ends_stay_tied():
    model = GPT(SMALL)
    copy = deepcopy(model)
    assert copy.lm_head.weight is copy.wte.weight
    before = model.wte.weight.clone()
    with torch.no_grad():
        copy.wte.weight.zero_()
    assert torch.equal(model.wte.weight, before)


def test_bfloat16():
    """Half the bytes, and nearly the same probabilities; a batch trains."""
    model, ids = GPT(SMALL, seeded()).eval(), torch.randint(50, (2, 9), generator=seeded())
    half = deepcopy(model).bfloat16()
    assert half(ids).dtype == torch.bfloat16
    probs, expected = half(ids).float().softmax(-1), model(ids).softmax(-1)
    assert 0 < (probs - expected).abs().max() < 0.01
    next_token_loss(half(ids), ids).backward()
    assert all(weight.grad.isfinite().all() for weight in half.parameters())


def test_ids_of_32_bits():
    model, ids = GPT(SMALL).eval(), torch.randint(50, (2, 9), generator=seeded())
    assert torch.equal(model(ids.int()), model(ids))


def test_loss_by_hand():
    logits = torch.tensor([[[0.0, math.log(3)], [0.0, 0.0]]])
    close(next_token_loss(logits, torch.tensor([[1, -100]])), torch.tensor(math.log(4 / 3)))
    both = next_token_loss(logits, torch.tensor([[1, 0]]))
    close(both, torch.tensor((math.log(4 / 3) + math.log(2)) / 2))


def test_a_trained_model_learns():
    """A row of 12 tokens by heart, in 60 steps."""
    model = GPT(SMALL, seeded()).train()
    ids = torch.randperm(50, generator=seeded())[None, :13]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        loss = next_token_loss(model(ids[:, :-1]), ids[:, 1:])
        loss.backward()
        optimizer.step()
    assert loss < 0.1
    assert to_gpt2(model).keys() < set(model.state_dict())


@pytest.mark.parametrize("shape", [(3, 2), (6,), (2, 3, 1), (2, 2), (1, 6)])
def test_targets_of_another_shape(shape):
    """As many targets in another order would give a number, and a wrong one."""
    said = rf"logits \(2, 3, 4\) and targets {re.escape(str(tuple(shape)))}: they should be"
    with pytest.raises(ValueError, match=said):
        next_token_loss(torch.zeros(2, 3, 4), torch.zeros(shape, dtype=torch.long))
    with pytest.raises(ValueError, match=r"logits \(6, 4\) and targets \(6,\)"):
        next_token_loss(torch.zeros(6, 4), torch.zeros(6, dtype=torch.long))


@pytest.mark.parametrize("target", [4, -1, -99])
def test_an_unknown_target_is_named(target):
    with pytest.raises(IndexError, match=str(target)):
        next_token_loss(torch.zeros(1, 2, 4), torch.tensor([[0, target]]))
