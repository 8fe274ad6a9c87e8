"""The KV cache against reading everything anew, against transformers' cache, and row by row."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared.model import (
    GPT,
    Decoding,
    KVCache,
    add_lora,
    generate,
    load_tales,
    next_logits,
    read_tokens,
    sample_token,
)
from shared.model.cache import pad, places, visible_keys
from shared.model.thin import FEW, LARGE, ThinProducts, thin_linear, thin_products
from shared.model.weights import from_gpt2
from shared.text import END_OF_TEXT
from shared.world import stories
from tests.test_gpt import SMALL, close, hugging_face, randomized, seeded

UNTIED = replace(SMALL, tied_embeddings=False)
PROMPTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [1, 2, 3], [11, 12]]


@pytest.fixture(scope="module")
def model():
    return randomized(GPT(UNTIED))


def random_ids(B, T, seed=1):
    return torch.randint(50, (B, T), generator=seeded(seed))


@torch.no_grad()
def hidden(model, ids):
    return model.hidden(ids)


# Reading


def test_which_keys_are_visible():
    expected = [[True, False, False, False], [True, True, True, False]]
    assert visible_keys(torch.tensor([0, 2]), 4).tolist() == expected


def test_where_new_keys_are_kept():
    for lengths, counts in (([4, 4], [3, 3]), ([4, 1], [3, 3]), ([4, 4], [1, 3]), ([0, 5], [2, 0])):
        keys, new = torch.zeros(2, 1, 9, 1), 1.0 + torch.arange(6).view(2, 1, 3, 1)
        here, there = places(torch.tensor(lengths), torch.tensor(counts), 3)
        keys[there] = new[here]
        for row, n, count, found in zip(keys[:, 0, :, 0], lengths, counts, new, strict=True):
            expected = [0] * n + found.flatten().tolist()[:count] + [0] * (9 - n - count)
            assert row.tolist() == expected


@pytest.mark.parametrize("turns", [[16], [1] * 16, [5, 1, 1, 4, 1, 3, 1], [15, 1]])
def test_several_turns_are_one(model, turns):
    ids, cache = random_ids(3, 16), KVCache(model, 3, 16)
    parts = [read_tokens(model, part, cache) for part in ids.split(turns, dim=1)]
    close(torch.cat(parts, dim=1), hidden(model, ids))
    assert cache.lengths.tolist() == [16] * 3


def test_double_precision_stays_and_agrees_closely():
    model = randomized(GPT(UNTIED)).double()
    ids, cache = random_ids(2, 9), KVCache(model, 2, 9)
    parts = [read_tokens(model, part, cache) for part in ids.split([4, 1, 4], dim=1)]
    close(torch.cat(parts, dim=1), hidden(model, ids), 1e-12)


def test_rows_of_different_length_are_each_as_alone(model):
    """Three turns, of which some rows take no part."""
    cache, read = KVCache(model, 4, 16), [[], [], [], []]
    for turn, counts in enumerate([[3, 1, 6, 0], [1, 7, 0, 2], [12, 8, 10, 1]]):
        T = max(counts)
        ids = random_ids(4, T, seed=turn)
        x = read_tokens(model, ids, cache, torch.tensor(counts))
        for row, n, new, found in zip(read, counts, ids.tolist(), x, strict=True):
            row += new[:n]
            if n:
                close(found[:n], hidden(model, torch.tensor([row]))[0, len(row) - n :])
    assert cache.lengths.tolist() == [16, 16, 16, 3] == [len(row) for row in read]


def test_padding_is_not_read(model):
    counts = torch.tensor([2, 5])
    caches = [KVCache(model, 2, 16) for _ in range(2)]
    for cache, padding in zip(caches, (0, 17), strict=True):
        ids = random_ids(2, 5)
        ids[0, 2:] = padding
        read_tokens(model, ids, cache, counts)
    parts = [cache.keys + cache.values for cache in caches]
    for a, b in zip(*parts, strict=True):
        assert torch.equal(a, b) and (a[0, :, 2:] == 0).all() and (a[0, :, :2] != 0).any()


def test_garbage_behind_the_end_changes_nothing(model):
    cache = KVCache(model, 2, 16)
    for part in cache.keys + cache.values:
        part.fill_(1e6)
    ids, counts = random_ids(2, 6), torch.tensor([6, 2])
    close(read_tokens(model, ids, cache, counts)[0], hidden(model, ids)[0])
    close(read_tokens(model, ids[:, :1], cache)[1, 0],
          hidden(model, torch.cat([ids[1:, :2], ids[1:, :1]], 1))[0, -1])  # fmt: skip


def test_only_these_rows(model):
    ids, counts, cache = random_ids(4, 6), torch.tensor([6, 3, 5, 1]), KVCache(model, 4, 12)
    read_tokens(model, ids, cache, counts)
    cache.keep([3, 1])
    x = read_tokens(model, ids[:2, :2], cache)
    for row, old, new in zip(x, (ids[3, :1], ids[1, :3]), ids[:2, :2], strict=True):
        close(row, hidden(model, torch.cat([old, new])[None])[0, -2:])
    assert cache.lengths.tolist() == [3, 5] and cache.keys[0].shape == (2, 3, 12, 8)


def test_the_keys_and_values_are_those_of_the_layers(model):
    ids, cache = random_ids(2, 7), KVCache(model, 2, 9)
    seen = []
    hooks = [
        block.attn.c_attn.register_forward_hook(lambda _, inputs, y: seen.append(y))
        for block in model.h
    ]
    hidden(model, ids)
    for hook in hooks:
        hook.remove()
    read_tokens(model, ids, cache)
    for y, keys, values in zip(seen, cache.keys, cache.values, strict=True):
        for part, kept in zip(y.chunk(3, dim=-1)[1:], (keys, values), strict=True):
            close(part.unflatten(-1, (3, 8)).transpose(1, 2), kept[:, :, :7])


@pytest.mark.parametrize("tied", [True, False])
def test_against_transformers_with_its_cache(tied):
    """Three turns, with the logits of both."""
    config = replace(SMALL, tied_embeddings=tied)
    theirs, ours = randomized(hugging_face(config), size=0.05), GPT(config).eval()
    from_gpt2(ours, theirs.state_dict())
    cache, past = KVCache(ours, 2, 16), None
    for ids in random_ids(2, 16).split([9, 1, 6], dim=1):
        with torch.no_grad():
            expected = theirs(ids, past_key_values=past, use_cache=True)
            logits = ours.lm_head(read_tokens(ours, ids, cache))
        past = expected.past_key_values
        close(logits, expected.logits)
    for layer, keys, values in zip(past.layers, cache.keys, cache.values, strict=True):
        close(keys, layer.keys)
        close(values, layer.values)


def test_tokens_against_transformers(model):
    theirs = randomized(hugging_face(SMALL), size=0.3)
    ours = GPT(SMALL).eval()
    from_gpt2(ours, theirs.state_dict())
    ids = random_ids(3, 4)
    expected = theirs.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False,
        eos_token_id=None, pad_token_id=0,
    )  # fmt: skip
    assert generate(ours, ids, 12) == expected.tolist()


# The next token


def test_next_logits_as_each_row_alone(model):
    """Rows that grow by different numbers of tokens, over the end of the context and beyond."""
    rows, cache = [list(row) for row in PROMPTS], KVCache(model, len(PROMPTS), 16)
    for step in range(14):
        logits = next_logits(model, rows, cache)
        close(logits, next_logits(model, rows))
        for row, found in zip(rows, logits, strict=True):
            with torch.no_grad():
                close(found, model(torch.tensor([row[-16:]]))[0, -1])
            row += random_ids(1, 1 + (step + len(row)) % 3, seed=step)[0].tolist()
    assert min(map(len, rows)) > 16


def test_padded():
    ids, lengths = pad([[1, 2, 3], [4], [5, 6]], torch.device("cpu"))
    assert ids.tolist() == [[1, 2, 3], [4, 0, 0], [5, 6, 0]] and lengths.tolist() == [3, 1, 2]


def count_tokens(model, call):
    """How many tokens go through the model's blocks."""
    seen = []
    hook = model.h[0].mlp.register_forward_hook(lambda _, inputs, y: seen.append(y[..., 0].numel()))
    call()
    hook.remove()
    return sum(seen)


def test_each_token_is_read_once_until_the_context_is_full(model):
    assert count_tokens(model, lambda: generate(model, [[1, 2, 3]], 10)) == 3 + 9
    assert count_tokens(model, lambda: generate(model, [[1, 2, 3]] * 5, 10)) == 5 * (3 + 9)
    assert count_tokens(model, lambda: generate(model, [[1, 2, 3]], 14)) == 3 + 13
    assert count_tokens(model, lambda: generate(model, [[1, 2, 3]], 17)) == 3 + 13 + 3 * 16
    plain = count_tokens(model, lambda: generate(model, [[1, 2, 3]], 10, cache=False))
    assert plain == sum(range(3, 13))


def test_rows_that_are_done_cost_nothing(model):
    assert count_tokens(model, lambda: generate(model, [[1, 2]] * 4, [1, 1, 1, 9])) == 4 * 2 + 8
    # one row beyond the context does not make the others read theirs anew
    long = list(range(16))
    found = count_tokens(model, lambda: generate(model, [[1, 2], long], 3))
    assert found == 2 * 16 + 2 * (2 + 16)


DECODINGS = [Decoding(0), Decoding(), Decoding(0.7, top_k=20), Decoding(1.3, top_p=0.9)]


@pytest.mark.parametrize("decoding", DECODINGS, ids=str)
def test_generates_the_same_with_and_without(model, decoding):
    """Prompts of different length, limits, an end, and beyond the context of 16."""
    limits = [30, 22, 12, 5, 0]
    free = generate(model, PROMPTS, limits, None, decoding, seeded(1), cache=False)
    for end in (None, free[0][8]):
        rows = [
            generate(model, PROMPTS, limits, end, decoding, seeded(1), cache=cache)
            for cache in (True, False)
        ]
        assert rows[0] == rows[1]
    added = [len(row) - len(prompt) for row, prompt in zip(rows[0], PROMPTS, strict=True)]
    assert added != limits and len({*added}) > 2


def test_an_end_in_the_prompt_is_no_end(model):
    free = generate(model, [[1, 2], [3]], 8)
    end = next(i for i in range(50) if not {i} & {*free[0], *free[1]})
    prompts = [[end, 1, 2], [end]]
    rows = generate(model, prompts, 8)
    found = generate(model, prompts, 8, end)
    for row, prompt, ended in zip(rows, prompts, found, strict=True):
        n = len(prompt)
        stop = row.index(end, n) + 1 if end in row[n:] else len(row)
        assert ended == row[:stop] and stop > n + 1


def test_the_trained_model_tells_the_same():
    model, tokenizer = load_tales()
    texts, end = [story.text for story in stories(8)], tokenizer.special_tokens[END_OF_TEXT]
    prompts = [tokenizer.encode(text)[: 3 + 9 * i] for i, text in enumerate(texts)]
    for decoding in (Decoding(0), Decoding(0.8)):
        rows = [
            generate(model, prompts, 70, end, decoding, seeded(2), cache=cache)
            for cache in (True, False)
        ]
        assert rows[0] == rows[1] and len({len(row) for row in rows[0]}) > 3


def test_log_probabilities_of_the_trained_model():
    model, tokenizer = load_tales()
    n = model.config.context_length
    row = tokenizer.encode(" ".join(story.text for story in stories(9)))[:n]
    cache = KVCache(model, 1, n)
    x = torch.cat([read_tokens(model, torch.tensor([[i]]), cache) for i in row], dim=1)
    expected = hidden(model, torch.tensor([row]))
    with torch.no_grad():
        found, expected = (model.lm_head(h).log_softmax(-1) for h in (x, expected))
    assert (found - expected).abs().max() < 1e-4 and len(row) == n


def test_with_lora():
    model = randomized(GPT(UNTIED))
    before = generate(model, PROMPTS, 20)
    layers = add_lora(model, 2, 4, ("c_attn", "c_proj", "c_fc"), seeded())
    for layer in layers:
        layer.B.data.normal_(0, 0.3, generator=seeded(4))
    after = generate(model, PROMPTS, 20)
    assert after == generate(model, PROMPTS, 20, cache=False) != before


def test_no_gradient_is_kept(model):
    cache = KVCache(model, 1, 4)
    assert not read_tokens(model, random_ids(1, 4), cache).requires_grad
    assert not next_logits(model, [[1, 2]]).requires_grad
    assert not any(part.requires_grad for part in cache.keys + cache.values)


def test_the_likeliest_is_the_first_of_equals_and_needs_no_luck():
    logits = torch.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    generator = seeded(3)
    before = generator.get_state()
    assert sample_token(logits, Decoding(0), generator).tolist() == [1, 0]
    assert torch.equal(generator.get_state(), before)


# Few rows, large matrices


@pytest.mark.parametrize("shape", [(12,), (1, 12), (2, 12), (1, 1, 12), (4, 2, 12), (1, 3, 12)])
@pytest.mark.parametrize("outputs, bias", [(7, True), (8, True), (8, False)])
def test_thin_linear(shape, outputs, bias):
    x = torch.randn(shape, generator=seeded())
    linear = randomized(nn.Linear(12, outputs, bias=bias))
    y = thin_linear(x, linear.weight, linear.bias)
    close(y, linear(x))
    assert y.shape == linear(x).shape and y.is_contiguous()


def test_thin_products_are_only_for_few_rows_and_large_matrices(monkeypatch):
    called = []
    monkeypatch.setattr("shared.model.thin.thin_linear",
                        lambda x, *rest: called.append(x.shape) or F.linear(x, *rest))  # fmt: skip
    large, small = nn.Linear(512, 512), nn.Linear(512, 511)
    assert large.weight.numel() == LARGE
    with ThinProducts():
        for layer in (large, small):
            for n in (1, FEW, FEW + 1):
                layer(torch.zeros(n, 1, 512))
    large(torch.zeros(1, 512))
    assert called == [(1, 1, 512), (FEW, 1, 512)]


def test_a_wide_model_writes_the_same_with_thin_products():
    config = replace(UNTIED, d_model=512, n_heads=8, context_length=32)
    model = randomized(GPT(config), size=0.05)
    assert isinstance(thin_products(model), ThinProducts)
    assert not isinstance(thin_products(GPT(SMALL)), ThinProducts)
    assert generate(model, PROMPTS, 20) == generate(model, PROMPTS, 20, cache=False)
    close(next_logits(model, PROMPTS, KVCache(model, 5, 9)), next_logits(model, PROMPTS), 1e-4)


# What can't be


def foreign(**other):
    """A cache of another model."""
    return KVCache(GPT(replace(SMALL, **other)), 2, 9)


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda m: KVCache(m, 2, 17), "17 tokens: the context is 1 to 16"),
        (lambda m: KVCache(m, 2, 0), "0 tokens: the context is 1 to 16"),
        (lambda m: read_tokens(m, random_ids(3, 4), KVCache(m, 2, 9)), "3 rows of .* has 2"),
        (lambda m: read_tokens(m, random_ids(2, 10), KVCache(m, 2, 9)), "have 10 .* room for 9"),
        (
            lambda m: read_tokens(m, random_ids(2, 4), foreign(n_layers=3)),
            "3 layers, 3 heads and 8 .* model has 2, 3 and 8",
        ),
        (
            lambda m: read_tokens(m, random_ids(2, 4), foreign(n_heads=4)),
            "2 layers, 4 heads and 6 .* model has 2, 3 and 8",
        ),
        (
            lambda m: read_tokens(m, random_ids(2, 4), KVCache(m, 2, 9), torch.tensor([1, 5])),
            r"counts \[1, 5\] of 2 rows of 4",
        ),
        (
            lambda m: read_tokens(m, random_ids(2, 4), KVCache(m, 2, 9), torch.tensor([-1, 2])),
            r"counts \[-1, 2\]",
        ),
        (
            lambda m: read_tokens(m, random_ids(2, 4), KVCache(m, 2, 9), torch.tensor([2])),
            r"counts \[2\] of 2 rows",
        ),
        (lambda m: read_tokens(m, random_ids(2, 4) + 50, KVCache(m, 2, 9)), "vocabulary has 0 to"),
        (lambda m: next_logits(m, [[1]], KVCache(m, 2, 9)), "zip"),
    ],
)  # fmt: skip
def test_what_cannot_be(model, call, said):
    with pytest.raises(ValueError, match=said):
        call(model)


def test_a_turn_too_many_changes_nothing(model):
    cache = KVCache(model, 1, 5)
    ids = random_ids(1, 5)
    read_tokens(model, ids[:, :4], cache)
    with pytest.raises(ValueError, match="would have 6 tokens: the cache has room for 5"):
        read_tokens(model, ids[:, :2], cache)
    close(read_tokens(model, ids[:, 4:], cache), hidden(model, ids)[:, 4:])
    with pytest.raises(ValueError, match="row 0: the cache has all 5 tokens"):
        next_logits(model, ids.tolist(), cache)
