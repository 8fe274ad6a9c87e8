"""What a model says about a text: against a model whose probabilities are known, and the loss."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from shared.book import check_close
from shared.model import GPT, GPTConfig, next_token_loss
from shared.tasks import log_prob, next_log_probs, probs_after
from shared.text import END_OF_TEXT, BPETokenizer

CONFIG = GPTConfig(vocab_size=257, context_length=16, d_model=8, n_heads=2, n_layers=1)
BYTES = BPETokenizer({bytes([byte]): byte for byte in range(256)}, {END_OF_TEXT: 256})


class Bigrams(nn.Module):
    """A model that looks at the last token only: row i of a table is what comes after token i."""

    def __init__(self, seed=0):
        super().__init__()
        table = torch.randn(257, 257, generator=torch.Generator().manual_seed(seed))
        self.wte, self.seen = nn.Embedding.from_pretrained(3 * table), []

    def forward(self, ids):
        self.seen.append((ids.tolist(), self.training))
        return self.wte(ids) + 7  # as good a logit as without


@pytest.fixture
def bigrams():
    return Bigrams()


def share(model, token, following):
    row = model.wte.weight[token].double().exp()
    return (row[following] / row.sum()).item()


def test_after_a_text_comes_what_the_table_says(bigrams):
    probs = probs_after(bigrams, BYTES, "ab")
    assert probs.shape == (257,)
    expected = [share(bigrams, ord("b"), i) for i in range(257)]
    check_close(probs, torch.tensor(expected), 1e-6)


def test_a_text_begins_behind_the_end_of_another(bigrams):
    assert math.isclose(probs_after(bigrams, BYTES, "")[65], share(bigrams, 256, 65), rel_tol=1e-5)
    assert bigrams.seen[0][0] == [[256]]
    probs_after(bigrams, BYTES, "ab")
    assert bigrams.seen[1][0] == [[256, *b"ab"]]
    log_prob(bigrams, BYTES, "ab", "c")
    assert bigrams.seen[2][0] == [[256, *b"ab"]]


def test_a_rest_is_a_product_of_its_tokens(bigrams):
    text = [256, *b"ab cd"]
    steps = [share(bigrams, a, b) for a, b in pairwise(text)]
    for n in (0, 2, 4):
        beginning, rest = "ab cd"[:n], "ab cd"[n:]
        expected = math.log(math.prod(steps[n:]))
        assert math.isclose(log_prob(bigrams, BYTES, beginning, rest), expected, rel_tol=1e-5)


def test_all_rests_of_two_tokens_have_probability_one(bigrams):
    after_one = next_log_probs(bigrams, [256, ord("a")])[-1].exp()
    after_two = torch.stack([next_log_probs(bigrams, [256, 97, i])[-1].exp() for i in range(257)])
    assert math.isclose((after_one[:, None] * after_two).sum(), 1, rel_tol=1e-4)


def test_the_same_as_the_loss_of_training():
    model = GPT(CONFIG, torch.Generator().manual_seed(1))
    ids = [256, *b"a kite"]
    rows = torch.tensor([ids])
    loss = next_token_loss(model(rows[:, :-1]), rows[:, 1:])
    assert math.isclose(log_prob(model, BYTES, "", "a kite"), -6 * loss.item(), rel_tol=1e-5)


def test_large_logits_do_not_overflow(bigrams):
    bigrams.wte.weight.mul_(1000)
    probs = next_log_probs(bigrams, [256, 5])
    assert probs.isfinite().all() and math.isclose(probs[-1].exp().sum(), 1, rel_tol=1e-4)
    assert math.isfinite(log_prob(bigrams, BYTES, "", "qwerty"))


@pytest.mark.parametrize("training", [True, False])
def test_without_dropout_and_the_model_is_left_as_it_was(training):
    model = GPT(GPTConfig(257, 16, 8, 2, 1, dropout=0.5)).train(training)
    assert torch.equal(probs_after(model, BYTES, "abc"), probs_after(model, BYTES, "abc"))
    assert model.training == training
    assert not probs_after(model, BYTES, "abc").requires_grad


def test_the_context_may_be_full_and_the_last_token_need_not_fit():
    model = GPT(CONFIG)
    assert math.isfinite(log_prob(model, BYTES, "x" * 15, "y"))
    with pytest.raises(ValueError, match="17 tokens: the context is 1 to 16"):
        log_prob(model, BYTES, "x" * 16, "y")


def test_an_unknown_id_is_named():
    with pytest.raises(ValueError, match="unknown token id 257: the vocabulary has 257 tokens"):
        next_log_probs(GPT(CONFIG), [256, 257])


def test_a_rest_begins_where_a_token_does(bigrams):
    with pytest.raises(ValueError, match="0 tokens"):
        log_prob(bigrams, BYTES, "Mia", "")
    words = {bytes([byte]): byte for byte in range(256)} | {b" g": 256, b"la": 257, b" gla": 258}
    tokenizer = BPETokenizer(words, {END_OF_TEXT: 259})
    assert tokenizer.encode(" gla") == [258]
    with pytest.raises(ValueError, match="within a token"):
        log_prob(bigrams, tokenizer, "was ", "gla")
    with pytest.raises(ValueError, match="within a token"):
        log_prob(bigrams, tokenizer, " g", "la")


def test_a_special_token_in_the_text_is_refused(bigrams):
    with pytest.raises(ValueError, match="special token"):
        probs_after(bigrams, BYTES, f"a{END_OF_TEXT}b")
