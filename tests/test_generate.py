"""Decoding against sums by hand and against frequencies; generation against a plain loop."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from shared.model import GPT, GREEDY, Decoding, complete, generate, next_token_probs, sample_token
from shared.text import BPETokenizer
from tests.test_gpt import SMALL, randomized, seeded

LOGITS = torch.tensor([[0.1, 0.4, 0.2, 0.05, 0.25], [0.2, 0.2, 0.2, 0.2, 0.2]]).log()
PROMPTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [1, 2, 3], [11, 12]]


@pytest.fixture(scope="module")
def model():
    """Without ties, or it would go on repeating a token."""
    return GPT(replace(SMALL, tied_embeddings=False), seeded()).eval()


def plainly(model, row, n_tokens, end=None):
    """One row alone, greedily."""
    row = list(row)
    for _ in range(n_tokens):
        row.append(int(model(torch.tensor([row[-16:]]))[0, -1].argmax()))
        if row[-1] == end:
            break
    return row


def probs(**options):
    return next_token_probs(LOGITS, Decoding(**options))


def test_nothing_chosen_is_softmax():
    torch.testing.assert_close(probs(), LOGITS.softmax(-1))


@pytest.mark.parametrize("temperature", [1e-40, 1e-3, 0.5, 1.0, 2.0, 1e3])
def test_temperature_is_a_power_of_the_probabilities(temperature):
    row = LOGITS[0].double().softmax(-1) ** (1 / temperature)
    expected = row / row.sum() if row.sum() > 0 else F.one_hot(torch.tensor(1), 5).double()
    torch.testing.assert_close(probs(temperature=temperature)[0].double(), expected)


def test_the_ends_of_temperature():
    assert probs(temperature=0)[0].tolist() == [0, 1, 0, 0, 0]
    assert probs(temperature=0)[1].tolist() == [1, 0, 0, 0, 0]  # the first of equals, as argmax
    torch.testing.assert_close(probs(temperature=math.inf), torch.full((2, 5), 0.2))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"top_k": 1}, [0, 1, 0, 0, 0]),
        ({"top_k": 2}, [0, 0.4, 0, 0, 0.25]),
        ({"top_k": 5}, [0.1, 0.4, 0.2, 0.05, 0.25]),
        ({"top_p": 1e-9}, [0, 1, 0, 0, 0]),
        ({"top_p": 0.39}, [0, 1, 0, 0, 0]),
        ({"top_p": 0.41}, [0, 0.4, 0, 0, 0.25]),
        ({"top_p": 0.84}, [0, 0.4, 0.2, 0, 0.25]),
        ({"top_p": 0.96}, [0.1, 0.4, 0.2, 0.05, 0.25]),
        ({"top_k": 3, "top_p": 0.7}, [0, 0.4, 0, 0, 0.25]),  # 0.65 of 0.85 is enough
    ],
)
def test_what_top_k_and_top_p_keep(options, expected):
    expected = torch.tensor(expected)
    torch.testing.assert_close(probs(**options)[0], expected / expected.sum())


def test_equals_are_cut_to_exactly_k():
    assert (probs(top_k=3)[1] > 0).tolist() == [True, True, True, False, False]


def test_top_p_against_every_subset():
    """The smallest set that reaches p: by trying all."""
    logits = torch.randn(30, 6, generator=seeded(5), dtype=torch.float64)
    for row, p in zip(
        logits.softmax(-1), torch.rand(30, generator=seeded(6)).tolist(), strict=True
    ):
        sets = [[i for i in range(6) if bits >> i & 1] for bits in range(1, 64)]
        enough = [s for s in sets if row[s].sum() >= p]
        best = min(enough, key=lambda s: (len(s), -float(row[s].sum())))
        kept = next_token_probs(row.log()[None], Decoding(top_p=p))[0].nonzero()[:, 0]
        assert kept.tolist() == best


def test_frequencies_of_what_is_drawn():
    decoding = Decoding(temperature=1.7, top_k=4, top_p=0.9)
    n, expected = 20_000, probs(temperature=1.7, top_k=4, top_p=0.9)[0]
    drawn = sample_token(LOGITS[:1].expand(n, 5), decoding, seeded(3))
    for token, p in enumerate(expected.tolist()):
        sigma = math.sqrt(n * p * (1 - p))
        assert abs(int((drawn == token).sum()) - n * p) <= 5 * sigma


def test_the_generator_decides():
    draws = [sample_token(LOGITS.repeat(20, 1), Decoding(), seeded(s)).tolist() for s in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_prompts_of_different_length_are_continued_as_each_alone(model):
    rows = generate(model, PROMPTS, 30)  # beyond the context of 16
    assert rows == [plainly(model, prompt, 30) for prompt in PROMPTS]
    assert len({token for row in rows for token in row}) > 15
    assert generate(model, torch.tensor([[1, 2, 3]]), 30) == rows[:1]


def test_each_row_ends_by_itself(model):
    free = generate(model, PROMPTS, 12)
    end = free[0][6]  # a token that row 0 comes to, and not all of the others
    rows = generate(model, PROMPTS, 12, end)
    assert rows == [plainly(model, prompt, 12, end) for prompt in PROMPTS]
    added = [len(row) - len(prompt) for row, prompt in zip(rows, PROMPTS, strict=True)]
    assert min(added) < max(added) == 12


def test_an_end_in_the_prompt_ends_nothing(model):
    assert len(generate(model, [[7, 7]], 5, end=7)[0]) > 2


def test_sampled_rows_have_the_model_s_probabilities(model):
    rows = generate(model, [[1, 2]] * 4000, 2, None, Decoding(0.7), seeded(8))
    expected = (model(torch.tensor([[1, 2]]))[0, -1] / 0.7).softmax(-1).detach()
    counts = torch.tensor([row[2] for row in rows]).bincount(minlength=50)
    kept = expected * 4000 > 5
    chi = ((counts - expected * 4000) ** 2 / (expected * 4000))[kept].sum()
    assert chi < kept.sum() + 5 * math.sqrt(2 * kept.sum())
    assert generate(model, [[1, 2]] * 9, 2, None, Decoding(0.7), seeded(8)) == generate(
        model, [[1, 2]] * 9, 2, None, Decoding(0.7), seeded(8)
    )


def test_dropout_is_off_and_the_mode_comes_back():
    model = GPT(replace(SMALL, dropout=0.5, tied_embeddings=False), seeded())
    expected = generate(model.eval(), PROMPTS, 10)
    assert not model.training
    assert all(generate(model.train(), PROMPTS, 10) == expected for _ in range(3))
    assert model.training
    with pytest.raises(ValueError, match="vocabulary"):
        generate(model, [[99]], 2)
    assert model.training


def test_no_gradients_are_kept(model):
    seen = []
    hook = model.lm_head.register_forward_hook(lambda *_: seen.append(torch.is_grad_enabled()))
    generate(model, PROMPTS, 2)
    hook.remove()
    assert seen and not any(seen)


def test_nothing_to_do(model):
    assert generate(model, PROMPTS, 0) == PROMPTS and generate(model, [], 5) == []


def test_texts_are_completed():
    tokenizer = BPETokenizer.train("one two three four five six seven eight nine ten", 270)
    model = randomized(GPT(replace(SMALL, vocab_size=270, context_length=64)))
    end = tokenizer.special_tokens["<|endoftext|>"]
    texts = complete(model, tokenizer, ["one", "two three"], Decoding(1.5), seeded(2), 20)
    rows = [[end, *tokenizer.encode("one")], [end, *tokenizer.encode("two three")]]
    rows = generate(model, rows, 20, end, Decoding(1.5), seeded(2))
    assert texts == [tokenizer.decode([i for i in row if i != end]) for row in rows]
    assert texts[0].startswith("one") and texts[1].startswith("two three")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda model: Decoding(temperature=-0.1), "temperature is -0.1"),
        (lambda model: Decoding(temperature=float("nan")), "temperature is nan"),
        (lambda model: Decoding(top_p=0.0), "top_p is 0.0"),
        (lambda model: Decoding(top_p=1.1), "top_p is 1.1"),
        (lambda model: Decoding(top_k=0), "top_k is 0"),
        (lambda model: Decoding(top_k=2.5), "top_k is 2.5"),
        (lambda model: probs(top_k=6), "top_k is 6: the vocabulary has 5"),
        (lambda model: Decoding(top_k=5.0), "top_k is 5.0"),
        (lambda model: generate(model, [[1]], -1), "n_tokens is -1"),
        (lambda model: generate(model, [[1]], 1.5), "n_tokens is 1.5: it should be a whole"),
        (lambda model: generate(model, [[1], [2]], [2.0, 3.0]), r"n_tokens is \[2.0, 3.0\]"),
        (lambda model: generate(model, [[1], [2]], [3]), "1 n_tokens for 2 prompts"),
        (lambda model: generate(model, [[1], [2]], [3, 1, 2]), "3 n_tokens for 2 prompts"),
        (lambda model: generate(model, [[1], []], 3), "prompt 1 is empty"),
        (
            lambda model: generate(model, [[1], [2, 50]], 0),
            "id 50: the vocabulary has 50",
        ),
        (lambda model: generate(model, [[1], [2, 3, -1]], 1), "id -1"),
    ],
)
def test_what_cannot_be(model, call, said):
    with pytest.raises(ValueError, match=said):
        call(model)


def test_greedy_is_a_decoding():
    assert GREEDY.temperature == 0


@pytest.mark.parametrize(
    "decoding", [GREEDY, Decoding(), Decoding(0.5, top_k=2), Decoding(2.0, None, 0.5)]
)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_no_numbers(decoding, value):
    """A broken model is named, greedy or not; a token that is impossible is none."""
    logits = torch.zeros(3, 4)
    logits[:, 1] = float("-inf")
    assert all(token != 1 for token in sample_token(logits, decoding).tolist())
    logits[2, 3] = value
    with pytest.raises(ValueError, match=f"the largest of the logits in row 2 is {value}"):
        sample_token(logits, decoding)
    logits[1] = float("-inf")
    with pytest.raises(ValueError, match="logits in row 1 is -inf"):
        sample_token(logits, decoding)
