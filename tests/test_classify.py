"""Classifier and rows; naive Bayes and Wilson's interval against other code."""

import math

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from torch import nn
from torch.nn import functional as F

from shared.model import GPT, add_lora, save_model
from shared.tasks import (
    PAD,
    GPTClassifier,
    NaiveBayes,
    class_loss,
    classify,
    encode_rows,
    in_batches,
    load_classifier,
    predict,
    save_classifier,
    train_only,
    wilson,
)
from shared.text import END_OF_TEXT, BPETokenizer
from shared.training import Recipe, shuffled, train
from shared.world import stories
from tests.test_gpt import SMALL, close, randomized, seeded

CLASSES = ("ham", "spam", "jam")


def classifier(seed=1):
    return randomized(GPTClassifier(GPT(SMALL), CLASSES), seed)


def ragged(lengths=(5, 9, 1, 16), seed=2):
    return [torch.randint(SMALL.vocab_size, (n,), generator=seeded(seed)) for n in lengths]


def padded(rows, width=None):
    ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
    return F.pad(ids, (0, (width or 0) - ids.shape[1]), value=PAD) if width else ids


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.train([story.text for story in stories(50)], vocab_size=400)


# Rows


def test_rows(tokenizer):
    rows, end = (
        encode_rows(tokenizer, ["Mia ran.", "Oh"], 20),
        tokenizer.special_tokens[END_OF_TEXT],
    )
    for row, text in zip(rows.tolist(), ["Mia ran.", "Oh"], strict=True):
        assert row[0] == end and row.count(end) == 1
        assert tokenizer.decode(i for i in row[1:] if i != PAD) == text
    assert rows.shape[1] == max(len(tokenizer.encode(t)) for t in ["Mia ran.", "Oh"]) + 1


def test_special_tokens_in_a_text_are_plain_text(tokenizer):
    end = tokenizer.special_tokens[END_OF_TEXT]
    assert encode_rows(tokenizer, [END_OF_TEXT], 99)[0].tolist().count(end) == 1


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_empty_text(tokenizer, empty):
    with pytest.raises(ValueError, match="text 1 is empty"):
        encode_rows(tokenizer, ["Mia", empty], 20)


def test_no_texts(tokenizer):
    with pytest.raises(ValueError, match="no texts"):
        encode_rows(tokenizer, [], 20)


def test_long_texts_are_cut_only_if_told_so(tokenizer):
    text = "xyz" * 10
    n = len(tokenizer.encode(text))
    assert encode_rows(tokenizer, [text], n + 1).shape == (1, n + 1)
    with pytest.raises(ValueError, match=rf"text 1 has {n} tokens: at most {n - 1} fit"):
        encode_rows(tokenizer, ["ok", text], n)
    cut = encode_rows(tokenizer, [text], n, truncate=True)
    assert torch.equal(cut, encode_rows(tokenizer, [text], n + 1)[:, :n])


# The classifier


def test_reads_the_last_real_token():
    model, rows = classifier(), ragged()
    for row, logits in zip(rows, model(padded(rows)), strict=True):
        x = model.gpt.hidden(row[None])[0, -1]
        close(logits, model.head.weight @ x + model.head.bias)


@pytest.mark.parametrize("width", [16, 17, 40])  # also beyond the context
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 0, 2], [2, 2, 0, 1]])
def test_padding_changes_nothing(width, order):
    model, rows = classifier(), ragged()
    alone = torch.cat([model(row[None]) for row in rows])
    close(model(padded([rows[i] for i in order], width)), alone[order])


@pytest.mark.parametrize("batch_size", [1, 2, 3, 64])
def test_batches_change_nothing(batch_size):
    model, ids = classifier(), padded(ragged())
    probs = predict(model, ids, batch_size)
    close(probs, model(ids).softmax(dim=-1))
    close(in_batches(model.features, model, ids, batch_size), model.features(ids))


def test_gradients_do_not_come_from_padding():
    model = classifier().train()
    model.head(model.features(torch.tensor([[3, 4, PAD], [3, 5, 6]]))).sum().backward()
    used = model.gpt.wte.weight.grad.abs().sum(dim=-1).nonzero()[:, 0].tolist()
    assert used == [3, 4, 5, 6]  # and not 0, which stands in for padding


@pytest.mark.parametrize(
    "ids",
    [[[1, 2], [PAD, PAD]], [[PAD, 1], [2, 3]], [[1, PAD, 2]], [[]], [1, 2], [[1, -2]], [[1, 50]]],
)
def test_wrong_ids(ids):
    with pytest.raises(ValueError, match=r"row|vocabulary"):
        predict(classifier(), torch.tensor(ids, dtype=torch.long))


def test_too_long_rows_are_not_cut_in_silence():
    with pytest.raises(ValueError, match="17 tokens"):
        classifier()(torch.ones(1, 17, dtype=torch.long))


@pytest.mark.parametrize("classes", [(), ("one",), ("same", "same"), "spam"])
def test_wrong_classes(classes):
    with pytest.raises(ValueError, match="at least two"):
        GPTClassifier(GPT(SMALL), classes)


def test_starts_undecided_and_leaves_the_gpt_alone():
    gpt = GPT(SMALL, seeded())
    model = GPTClassifier(gpt, CLASSES)
    close(predict(model, padded(ragged())), torch.full((4, 3), 1 / 3))
    before = gpt(torch.tensor([[1, 2]]))
    randomized(model)
    assert torch.equal(gpt(torch.tensor([[1, 2]])), before)


def test_predict_switches_dropout_off_and_the_mode_back():
    model = classifier()
    model.gpt.dropout.p, ids = 0.5, padded(ragged())
    close(predict(model.train(), ids), predict(model.eval(), ids))
    assert not model.training
    predict(model.train(), ids)
    assert model.training


# Learning


def test_loss():
    logits, labels = torch.randn(4, 3, generator=seeded()), torch.tensor([0, 2, 1, 2])
    rows = logits.double().exp()
    expected = -(rows[torch.arange(4), labels] / rows.sum(dim=1)).log().mean()
    assert class_loss(logits, labels).item() == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("label", [-100, -1, 3])
def test_wrong_labels(label):
    with pytest.raises(ValueError, match=r"labels .* the classes are 0 to 2"):
        class_loss(torch.zeros(2, 3), torch.tensor([1, label]))


def test_wrong_labels_behind_right_ones_and_none():
    with pytest.raises(ValueError, match="labels 0 to 3"):
        class_loss(torch.zeros(4, 3), torch.tensor([0, 1, 0, 3]))
    with pytest.raises(ValueError, match="no labels"):
        class_loss(torch.zeros(0, 3), torch.tensor([], dtype=torch.long))


def test_predictions_carry_no_graph():
    assert not predict(classifier(), padded(ragged())).requires_grad


def test_train_only():
    model = classifier()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    trained = train_only(model, model.head, model.gpt.h[-1])
    feed = shuffled(padded(ragged()), torch.tensor([0, 1, 2, 0]), 4)
    list(train(model, feed, Recipe(steps=2, lr=0.01, warmup=0), class_loss))
    moved = {n for n, w in model.named_parameters() if not torch.equal(w, before[n])}
    assert moved == {n for n in before if n.startswith(("head.", "gpt.h.1."))}
    assert trained == sum(before[name].numel() for name in moved)
    assert train_only(model, model) == sum(weight.numel() for weight in before.values())


def test_learns_which_token_stands_last():
    ids = torch.randint(1, 50, (64, 6), generator=seeded())
    ids[::2, 4:] = PAD
    last = ids.gather(1, (ids != PAD).sum(dim=1, keepdim=True) - 1)[:, 0]
    model, labels = GPTClassifier(GPT(SMALL, seeded(1)), ("low", "high")), (last > 25).long()
    records = list(
        train(model, shuffled(ids, labels, 32), Recipe(60, lr=5e-3, warmup=5), class_loss)
    )
    assert records[0].loss == pytest.approx(math.log(2), abs=1e-6)
    assert (predict(model, ids).argmax(dim=-1) == labels).float().mean() > 0.95


# Files, and one text


def test_round_trip(tmp_path):
    model, ids = classifier(), padded(ragged())
    save_classifier(model, tmp_path / "model.safetensors")
    loaded = load_classifier(tmp_path / "model.safetensors")
    assert torch.equal(predict(loaded, ids), predict(model, ids))
    assert loaded.classes == CLASSES and not loaded.training


def test_lora_has_to_be_merged_before_saving(tmp_path):
    model = classifier()
    add_lora(model.gpt, 2, 4, ["c_fc"], seeded())
    with pytest.raises(ValueError, match="merge LoRA first"):
        save_classifier(model, tmp_path / "model.safetensors")
    assert not any(tmp_path.iterdir())
    model = GPTClassifier(GPT(SMALL), ("no", "yes"))
    model.extra = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"2 weights are not a classifier.s: extra\.bias"):
        save_classifier(model, tmp_path / "model.safetensors")


def test_other_files_are_refused(tmp_path):
    save_model(GPT(SMALL), tmp_path / "gpt.safetensors")
    with pytest.raises(ValueError, match="no classifier"):
        load_classifier(tmp_path / "gpt.safetensors")
    save_classifier(classifier(), tmp_path / "model.safetensors")
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[:-7] + b"\0" * 7)
    with pytest.raises(ValueError, match="damaged"):
        load_classifier(tmp_path / "model.safetensors")


def test_classify(tokenizer):
    config = SMALL.__class__(tokenizer.vocab_size, 16, 24, 3, 2)
    model = randomized(GPTClassifier(GPT(config), CLASSES))
    probs = classify(model, tokenizer, "Mia ran.")
    ids = torch.tensor([[tokenizer.special_tokens[END_OF_TEXT], *tokenizer.encode("Mia ran.")]])
    close(torch.tensor([probs[name] for name in CLASSES]), predict(model, ids)[0])
    with pytest.raises(ValueError, match="at most 15 fit"):
        classify(model, tokenizer, "xyz" * 10)
    assert sum(classify(model, tokenizer, "xyz" * 10, truncate=True).values()) == pytest.approx(1)


# Baselines

TEXTS = ["red kite red", "blue kite", "red boat", "sad boat sad boat blue", "kite"]
LABELS = [1, 0, 1, 0, 1]


@pytest.mark.parametrize("alpha", [1.0, 0.3])
def test_naive_bayes_is_that_of_scikit_learn(alpha):
    counter = CountVectorizer()
    theirs = MultinomialNB(alpha=alpha).fit(counter.fit_transform(TEXTS), LABELS)
    ours = NaiveBayes([text.split() for text in TEXTS], LABELS, alpha)
    new = ["red", "sad red boat", "kite kite blue", "unknown blue", "unknown", ""]
    expected = theirs.predict_joint_log_proba(counter.transform(new))
    scores = [[*ours.scores(text.split()).values()] for text in new]
    np.testing.assert_allclose(scores, expected, rtol=1e-9)
    assert ours.predict([t.split() for t in new]) == theirs.predict(counter.transform(new)).tolist()


@pytest.mark.parametrize("texts, labels", [([["a"]], [0]), ([["a"], ["b"]], [0]), ([], [])])
def test_naive_bayes_needs_two_classes(texts, labels):
    with pytest.raises(ValueError, match="labels"):
        NaiveBayes(texts, labels)


@pytest.mark.parametrize("right, n", [(0, 10), (3, 7), (970, 1000), (20, 20), (1, 1)])
def test_wilson_solves_its_equation(right, n):
    """The bounds are the shares p from which right / n is 1.96 standard errors away."""
    for p in wilson(right, n):
        if 0 < p < 1:
            assert abs(right / n - p) == pytest.approx(1.96 * math.sqrt(p * (1 - p) / n), abs=1e-9)
    low, high = wilson(right, n)
    assert 0 <= low <= right / n <= high <= 1 and low < high
    wider = wilson(right, n, z=3.0)
    assert wider[1] - wider[0] > high - low


@pytest.mark.parametrize("right, n", [(-1, 5), (6, 5), (0, 0)])
def test_wilson_of_nothing(right, n):
    with pytest.raises(ValueError, match=rf"{right} of {n}"):
        wilson(right, n)
