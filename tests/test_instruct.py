"""Prompts, masks and answers, against examples by hand and models that know what to say."""

import math
import re
from random import Random

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from shared.model import GPT, IGNORED, generate, next_token_loss
from shared.tasks import (
    alpaca,
    collate,
    encode_pair,
    exact_match,
    fits,
    mixed,
    pair_feed,
    phi3,
    prompt_ids,
    respond,
    rubric,
)
from shared.text import END_OF_TEXT, BPETokenizer
from shared.training import Recipe, story_rows, train
from shared.world import WORLD, Instruction, PartTeller, instructions
from tests.test_gpt import SMALL, seeded

TOKENIZER = BPETokenizer.train("the cat and the dog " * 9, 266)
END = TOKENIZER.special_tokens[END_OF_TEXT]
ASK = Instruction("Name the hero.", "Mia had a kite.", "It is about Mia.", "hero")


# Prompts


def test_alpaca_is_alpacas():
    """Word for word as in the repository of Taori et al. (2023), and then a new line."""
    assert alpaca("Do it.") == (
        "Below is an instruction that describes a task. Write a response that appropriately "
        "completes the request.\n\n### Instruction:\nDo it.\n\n### Response:\n"
    )
    assert alpaca("Do it.", "With this.") == (
        "Below is an instruction that describes a task, paired with an input that provides further "
        "context. Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nDo it.\n\n### Input:\nWith this.\n\n### Response:\n"
    )


def test_phi3():
    assert phi3("Do it.") == "<|user|>\nDo it.\n<|assistant|>\n"
    assert phi3("Do it.", "With this.") == "<|user|>\nDo it.\nWith this.\n<|assistant|>\n"


@pytest.mark.parametrize("style", [alpaca, phi3])
def test_a_pair_is_the_text_between_two_ends(style):
    prompt, response = encode_pair(TOKENIZER, ASK, style)
    assert prompt[0] == response[-1] == END and END not in [*prompt[1:], *response[:-1]]
    assert TOKENIZER.decode(prompt[1:]) == style(ASK.instruction, ASK.input)
    assert TOKENIZER.decode(response[:-1]) == ASK.output
    assert prompt == prompt_ids(TOKENIZER, ASK, style)
    whole = style(ASK.instruction, ASK.input) + ASK.output
    assert TOKENIZER.encode(whole) == [*prompt[1:], *response[:-1]]  # the border is a token's


def test_a_user_cannot_write_special_tokens():
    prompt = prompt_ids(TOKENIZER, Instruction("Say <|endoftext|> now."))
    assert prompt.count(END) == 1


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_instruction(text):
    with pytest.raises(ValueError, match=r"instruction is empty; the input is 'Mia'"):
        prompt_ids(TOKENIZER, Instruction(text, "Mia"))


# Batches

TWO = [([0, 5, 6], [7, 8, 0]), ([0, 5], [9, 0])]


def test_collate_by_hand():
    inputs, targets = collate(TWO, end=0)
    assert inputs.tolist() == [[0, 5, 6, 7, 8], [0, 5, 9, 0, 0]]
    assert targets.tolist() == [[-100, -100, 7, 8, 0], [-100, 9, 0, -100, -100]]
    inputs, targets = collate(TWO, end=0, mask_prompt=False)
    assert inputs.tolist() == [[0, 5, 6, 7, 8], [0, 5, 9, 0, 0]]
    assert targets.tolist() == [[5, 6, 7, 8, 0], [5, 9, 0, -100, -100]]


def test_collate_counts_each_response_with_one_end():
    """Whatever the lengths, also where the padding is a token of the text."""
    generator = seeded(2)
    for _ in range(50):
        lengths = torch.randint(1, 9, (4, 2), generator=generator).tolist()
        pairs = [([0, *[3] * p], [*[4] * r, 0]) for p, r in lengths]
        inputs, targets = collate(pairs, end=0)
        assert inputs.shape == targets.shape == (4, max(sum(x) for x in lengths) + 1)
        for (prompt, response), x, y in zip(pairs, inputs, targets, strict=True):
            assert y[y != IGNORED].tolist() == response
            assert torch.equal(x[1:][y[:-1] != IGNORED], y[:-1][y[:-1] != IGNORED])
            n = len(prompt) + len(response)
            assert x[:n].tolist()[: n - 1] == [*prompt, *response][: n - 1] and not x[n - 1 :].any()


def test_a_story_is_a_response_without_a_prompt():
    told = [[3, 4, 5], [6, 7]]
    ours = collate([([0], [*ids, 0]) for ids in told], end=0)
    theirs = story_rows(told, 4, end=0)
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@torch.no_grad()
def test_what_does_not_count_does_not_count():
    """The loss of a batch, by hand from each response's own logits; padding has no say."""
    model = GPT(SMALL, seeded(1)).eval()
    batch = collate(TWO, end=0)
    losses = []
    for prompt, response in TWO:
        logits = model(torch.tensor([[*prompt, *response[:-1]]]))[0, len(prompt) - 1 :]
        losses.append(F.cross_entropy(logits, torch.tensor(response), reduction="none"))
    expected = torch.cat(losses).mean()
    assert math.isclose(next_token_loss(model(batch[0]), batch[1]), expected, rel_tol=1e-5)


@pytest.mark.parametrize("pairs", [[([0, 5], [])] * 3, []])
def test_a_batch_without_a_target(pairs):
    with pytest.raises(ValueError, match=rf"none of the \d+ targets of {len(pairs)} rows counts"):
        collate(pairs, end=0)


def test_what_fits():
    pair = ([0] * 6, [0] * 3)  # nine tokens are eight inputs
    assert fits(pair, 8) and not fits(pair, 7)
    assert collate([pair], end=0)[0].shape == (1, 8)


def test_a_feed_meets_every_pair_once_in_an_epoch():
    pairs = [([0, i], [i, 0]) for i in range(1, 13)]
    feed = pair_feed(pairs, 4, end=0, seed=3)
    epochs = [[feed(3 * e + i)[0][:, 1].tolist() for i in range(3)] for e in range(2)]
    assert all({*x} | {*y} | {*z} == {*range(1, 13)} for x, y, z in epochs)
    assert epochs[0] != epochs[1]
    assert pair_feed(pairs, 4, end=0, seed=4)(0)[0][:, 1].tolist() != epochs[0][0]
    again = pair_feed(pairs, 4, end=0, seed=3)
    assert torch.equal(again(4)[1], feed(4)[1]) and again(4)[1][0, 0] == IGNORED
    assert pair_feed(pairs, 4, end=0, mask_prompt=False)(0)[1][0, 0] != IGNORED


def test_mixed_feeds_leave_out_no_batch():
    feed = mixed(lambda i: ("often", i), lambda i: ("rarely", i), every=3)
    o, r = "often", "rarely"
    expected = [(o, 0), (o, 1), (r, 0), (o, 2), (o, 3), (r, 1), (o, 4)]
    assert [feed(i) for i in range(7)] == expected
    with pytest.raises(ValueError, match="every is 1"):
        mixed(feed, feed, every=1)


# Answers


class Parrot(nn.Module):
    """Answers what it has been taught, whatever comes before; knows prompts by their length."""

    def __init__(self, answers, context_length=60):
        super().__init__()
        self.config = type(SMALL)(TOKENIZER.vocab_size, context_length, 4, 1, 1)
        self.wte, self.answers = nn.Embedding(TOKENIZER.vocab_size, 4), answers

    def hidden(self, ids):
        marker = TOKENIZER.encode_ordinary("<|assistant|>\n")
        rows = []
        for row in ids.tolist():
            n = next(i + len(marker) for i in range(99) if row[i : i + len(marker)] == marker)
            answer = [*TOKENIZER.encode(self.answers[n % len(self.answers)]), END]
            said = [max(0, min(t - n, len(answer) - 1)) for t in range(1, len(row) + 1)]
            rows.append([[answer[i]] * 4 for i in said])
        return torch.tensor(rows).float()  # (B, T, C)

    def lm_head(self, x):
        return F.one_hot(x[:, 0].long(), TOKENIZER.vocab_size).float()


def test_answers_are_what_follows_the_prompt_up_to_the_end():
    model, requests = Parrot(["Mia.", "A dog.", ""]), [ASK, Instruction("Go on!"), ASK]
    lengths = [len(prompt_ids(TOKENIZER, request)) for request in requests]
    expected = [model.answers[n % 3] for n in lengths]
    assert respond(model, TOKENIZER, requests) == expected and len({*expected}) > 1
    cut = respond(model, TOKENIZER, requests, n_tokens=2)
    assert cut == [TOKENIZER.decode(TOKENIZER.encode(text)[:2]) for text in expected]
    assert respond(model, TOKENIZER, []) == []


def test_the_neighbors_change_nothing():
    """A long prompt has as little room beside a short one as alone, and the style is the asked."""
    short, long = Instruction("Go!"), Instruction("Go!", "the cat and the dog " * 10)
    room = 5
    T = len(prompt_ids(TOKENIZER, long)) + room
    model = GPT(type(SMALL)(TOKENIZER.vocab_size, T, 32, 2, 2), seeded())
    alone = [respond(model, TOKENIZER, [request])[0] for request in (short, long)]
    assert respond(model, TOKENIZER, [short, long]) == alone
    assert len(TOKENIZER.encode(respond(model, TOKENIZER, [long], n_tokens=60)[0])) <= room + 1
    plain = lambda instruction, _: instruction  # noqa: E731
    ids = generate(model, [prompt_ids(TOKENIZER, short, plain)], 9, END)[0]
    expected = TOKENIZER.decode(i for i in ids[1 + len(TOKENIZER.encode("Go!")) :] if i != END)
    assert respond(model, TOKENIZER, [short], plain, 9) == [expected] != [alone[0]]


def test_a_prompt_that_leaves_no_room():
    n = len(prompt_ids(TOKENIZER, ASK))
    assert respond(Parrot(["a"], n + 1), TOKENIZER, [ASK]) == ["a"]
    with pytest.raises(
        ValueError, match=rf"prompt has {n} tokens, the context {n}: no room .*hero"
    ):
        respond(Parrot(["a"], n), TOKENIZER, [ASK])


def test_exact_match():
    examples = [Instruction("?", "", "yes", kind) for kind in "aab"]
    assert exact_match(["yes", "Yes", "yes"], examples) == {"a": 0.5, "b": 1.0}
    assert exact_match(["yes!", "ye", "yes"], examples) == {"a": 0.0, "b": 1.0}
    with pytest.raises(ValueError, match="no answers"):
        exact_match([], [])
    with pytest.raises(ValueError, match="zip"):
        exact_match(["yes"], examples)


@pytest.mark.slow
def test_a_model_learns_to_answer_and_to_stop():
    """Three instructions by heart, with different answers for the same input."""
    examples = [
        Instruction("Up!", "cat", "the cat"),
        Instruction("Down!", "cat", "dog and dog"),
        Instruction("Up!", "dog", "the dog"),
    ]
    pairs = [encode_pair(TOKENIZER, example) for example in examples]
    config = type(SMALL)(TOKENIZER.vocab_size, 50, 32, 2, 2)
    model = GPT(config, seeded())
    for _ in train(model, pair_feed(pairs, 3, END), Recipe(steps=80, lr=1e-2, warmup=5)):
        pass
    assert respond(model, TOKENIZER, examples) == [example.output for example in examples]
    prompt = prompt_ids(TOKENIZER, examples[0])
    assert generate(model, [prompt], 20, END)[0][-1] == END


# Free answers

TOLD = instructions(60, seed=1, kinds=("begin", "tell"))


def test_a_right_answer_has_all_the_points():
    assert all(all(rubric(made.output, made).values()) for made in TOLD)
    points = {"grammatical", "consistent", "hero", "thing", "color"}
    assert {*rubric(TOLD[0].output, TOLD[0])} == points


def test_what_is_inconsistent_loses_a_point():
    """A pronoun of the other sex; the end of another story with the same hero and thing."""
    facts = {"hero": "Ben", "thing": "drum", "color": "red"}
    begin = Instruction("Begin!", "", "", "begin", facts)
    right = "Ben got a red drum from his uncle and took it straight to the market."
    assert all(rubric(right, begin).values())
    wrong = [name for name, got in rubric(right.replace("his", "her"), begin).items() if not got]
    assert wrong == ["consistent"]
    assert not any(rubric(right.replace("a red", "a orange"), begin).values())
    for seed in range(20):
        teller = PartTeller(Random(seed).random, held_out=False)
        parts, facts = teller.tell_parts(), teller.facts
        he, his = teller.value("he"), teller.value("his")
        sad = f"{facts['hero']} was {WORLD['sorry'][0]}. In {his} dreams {he} saw the "
        sad += f"{facts['place']}, and the {facts['color']} {facts['thing']} was far away."
        asked = Instruction("Tell!", "", "", "tell", facts)
        assert all(rubric(" ".join(parts.values()), asked).values())
        verdict = rubric(" ".join([*[*parts.values()][:-1], sad]), asked)
        assert verdict["consistent"] == (facts["outcome"] == "sad") and verdict["grammatical"]


@pytest.mark.parametrize("name", ["hero", "thing", "color"])
@pytest.mark.parametrize("kind", ["begin", "tell"])
def test_one_wrong_word_costs_one_point(name, kind):
    other = {"hero": ["Ida", "Zoe"], "thing": ["drum", "bell"], "color": ["black", "green"]}[name]
    for made in TOLD:
        if made.kind == kind:
            mine = made.facts[name]
            wrong = re.sub(rf"\b{mine}\b", other[mine == other[0]], made.output, count=1)
            if f"n {mine}" in made.output:  # "an orange"
                continue
            missed = {point for point, found in rubric(wrong, made).items() if not found}
            assert {name} <= missed <= {name, "consistent"}, wrong
            assert kind == "begin" or "consistent" in missed, wrong  # the others are still there


def test_no_story_has_no_points():
    assert not any(rubric("Once a girl kite.", TOLD[0]).values())
    story = next(made for made in TOLD if made.kind == "tell")
    assert not any(rubric(story.output + " And so on.", story).values())
    assert not any(rubric(story.output.partition(".")[0] + ".", story).values())


def test_a_rubric_for_what_has_one_answer():
    with pytest.raises(ValueError, match="not for 'hero'"):
        rubric("It is about Mia.", ASK)
    with pytest.raises(ValueError, match=r"not for 'begin' with \(\)"):
        rubric("It is about Mia.", Instruction("Begin!", "", "", "begin"))
