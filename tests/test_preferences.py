"""Preferences against oracles: sums over everything, finite differences, others' formulas."""

import math
from itertools import combinations, product
from random import Random

import pytest
import torch
from torch.nn import functional as F

from shared.model import GPT
from shared.preferences import (
    Pair,
    RewardModel,
    Tuning,
    best_of_kl,
    best_of_mean,
    bradley_terry_loss,
    choice_box,
    choose,
    dpo_loss,
    frozen,
    group_advantages,
    learn_from_pairs,
    pair_rows,
    policy_gradient,
    policy_gradient_loss,
    prefers_first,
    read_choices,
    reading,
    sample,
    save_choices,
    shares,
    taste,
    text_log_probs,
    token_kl,
)
from shared.text import BPETokenizer
from shared.world import stories
from tests.test_gpt import SMALL, randomized, seeded

PAIR = Pair("Mia had a kite.", " Ben took it.", " Ben gave it back.")


@pytest.fixture
def model():
    return GPT(SMALL, seeded())


def rows_of(*shape):
    return torch.randint(SMALL.vocab_size, shape, generator=seeded()).tolist()


# the reader

SHARING = ("borrow", "gift", "hunger", "rain")


def parts(story):
    start, end = next((a, b) for name, a, b in story.parts if name == "episode")
    return story.text[: start - 1], story.text[start - 1 : end]


def test_points_of_what_the_world_tells():
    seen = set()
    for story in stories(200, seed=3):
        prompt, episode = parts(story)
        facts, mistakes = reading(prompt + episode)
        good = facts["outcome"] == "good"
        gives = good and facts["plot"] in SHARING
        assert not mistakes and gives == shares(prompt + episode)
        assert taste(prompt, episode) == 2 * good + 2 * gives + ('"' in episode)
        seen |= {(good, gives)}
    assert seen == {(True, True), (True, False), (False, False)}


def test_a_contradiction_costs_half_a_point_and_nonsense_all():
    n = 0
    for story in stories(30, seed=4):
        prompt, episode = parts(story)
        hero = story.facts["hero"]
        if hero not in episode:
            continue
        other = "Zoe" if hero != "Zoe" else "Mia"
        wrong = episode.replace(hero, other)
        assert not shares(prompt + wrong)
        assert taste(prompt, wrong) < taste(prompt, episode)
        if (told := reading(prompt + wrong)) is None:
            assert taste(prompt, wrong) == -2
            continue
        (facts, mistakes), n = told, n + 1
        good = facts["outcome"] == "good"
        points = 2 * good + 2 * (good and facts["plot"] in SHARING) + ('"' in wrong)
        assert mistakes >= 1 and taste(prompt, wrong) == points - 0.5 * mistakes
    assert n > 5
    assert taste(prompt, " Kite kite, the a went.") == -2
    assert taste(prompt, "") == -2, "nothing has happened"


def test_choices_are_as_frequent_as_bradley_and_terry_say():
    random = Random(0)
    for a, b in ((0, 0), (1, 0), (-1, 2)):
        share = sum(choose(a, b, random) for _ in range(4000)) / 4000
        assert abs(share - 1 / (1 + math.exp(b - a))) < 0.025
        assert prefers_first(a, b) + prefers_first(b, a) == pytest.approx(1)


# pairs and their file


@pytest.mark.parametrize("texts", [("a", "b", " "), ("a", "", "b"), ("", "a", "b")])
def test_an_empty_text_is_refused(texts):
    with pytest.raises(ValueError, match="is empty"):
        Pair(*texts)


def test_equal_continuations_are_refused():
    with pytest.raises(ValueError, match="both continuations are equal"):
        Pair("a", " b c", "b  c ")


def test_choices_go_through_a_file(tmp_path):
    path, more = tmp_path / "new" / "choices.jsonl", Pair("ä\n", "“b”", "c\u2028")
    save_choices(path, [PAIR])
    save_choices(path, [more])
    assert read_choices(path) == [PAIR, more]


@pytest.mark.parametrize("cut", [1, 5, 20, 40])
def test_a_torn_last_line_is_named(tmp_path, cut):
    path = tmp_path / "choices.jsonl"
    save_choices(path, [PAIR] * 3)
    path.write_text(path.read_text()[: -cut - 1])
    with pytest.raises(ValueError, match=r"line 3 is no choice.*torn: delete it to keep 2"):
        read_choices(path)


def test_a_bad_line_in_the_middle_is_no_torn_one(tmp_path):
    path = tmp_path / "choices.jsonl"
    path.write_text('{"prompt": "a", "chosen": "b"}\n{}\n')
    with pytest.raises(ValueError, match="line 1 is no choice") as error:
        read_choices(path)
    assert "torn" not in str(error.value)


def test_the_page_holds_its_pairs():
    box = choice_box(['Mia "said" <hello>.'], [(" one", " two")])
    assert "&lt;hello&gt;" in box.markup and "<hello>" not in box.markup
    assert "//" not in box.markup.replace("</", "")
    with pytest.raises(ValueError, match=r"\[0\] are equal"):
        choice_box(["a"], [(" b", "b")])
    with pytest.raises(ValueError, match="0 beginnings"):
        choice_box([], [])


# rewards


def test_bradley_terry_loss_is_cross_entropy_of_two():
    a, b = torch.randn(2, 7, generator=seeded())
    expected = F.cross_entropy(torch.stack([a, b], 1), torch.zeros(7, dtype=torch.long))
    torch.testing.assert_close(bradley_terry_loss(a, b), expected)
    torch.testing.assert_close(bradley_terry_loss(a + 9, b + 9), expected)


def test_what_a_reward_model_reads(model):
    """The sum of the continuation's own token vectors, the last behind the cue, its surprises."""
    model.wte.weight.data *= 20  # so that it is sure of something
    rows, starts = [[1, 2, 5, 6], [7, 8], [9, 3, 3, 3], *rows_of(5, 12)], [2, 1, 1, *[5] * 5]
    found = RewardModel(model, cue=[3, 4]).features(rows, starts)
    for row, start, features in zip(rows, starts, found, strict=True):
        words = sum(model.wte.weight[token] for token in row[start:])
        last = model.hidden(torch.tensor([[*row, 3, 4]]))[0, -1]
        torch.testing.assert_close(features[:-1], torch.cat([words, last]), atol=1e-3, rtol=1e-4)
        chances = model(torch.tensor([row]))[0].softmax(dim=-1)
        own = [chances[i - 1, row[i]].item() for i in range(start, len(row))]
        assert features[-1] == sum(chance < 0.01 for chance in own)
    assert len(found[:, -1].unique()) > 2


def test_the_kinds_of_features_count_alike(model):
    """Each kind has a mean square of 1 in all, however many numbers it has."""
    reader = RewardModel(model, [3])
    x = torch.randn(400, 2 * SMALL.d_model + 1, generator=seeded()) * 7 + 3
    seen = {}
    reader.head.register_forward_hook(lambda module, given, out: seen.update(x=given[0]))
    reader(x)
    kinds = seen["x"].pow(2).mean(dim=0).split([SMALL.d_model, SMALL.d_model, 1])
    for kind in kinds:
        assert kind.sum().item() == pytest.approx(1, abs=1e-3)


def test_a_reward_model_reads_a_row_whatever_stands_beside_it(model):
    reader = RewardModel(model, [3, 4])
    rows, starts = [*rows_of(2, 8), rows_of(5)], [3, 5, 2]
    together = reader.features(rows, starts)
    alone = torch.cat([reader.features([r], [s]) for r, s in zip(rows, starts, strict=True)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
    assert reader.eval()(together).tolist() == [0, 0, 0]
    learning = [name for name, w in reader.named_parameters() if w.requires_grad]
    assert learning == ["head.weight", "head.bias"]


def test_a_reward_model_learns_a_word(model):
    rows = rows_of(80, 7)
    reader = RewardModel(model, [3])
    x = reader.features(rows, [2] * 80)
    said = torch.tensor([5.0 * sum(t < SMALL.vocab_size // 2 for t in row[2:]) for row in rows])
    optimizer = torch.optim.AdamW(reader.head.parameters(), lr=0.05)
    for _ in range(100):
        order = said.argsort()
        loss = bradley_terry_loss(*reader(torch.cat([x[order[40:]], x[order[:40]]])).chunk(2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.3


# best of n


@pytest.mark.parametrize("n", [1, 2, 3, 6, 7])
def test_the_best_of_n_over_all_draws(n):
    scores, values = torch.randn(2, 7, generator=seeded())
    draws = [max(draw, key=scores.__getitem__) for draw in combinations(range(7), n)]
    expected = sum(values[i] for i in draws) / len(draws)
    assert best_of_mean(scores, values, n) == pytest.approx(expected.item(), abs=1e-6)


def test_the_kl_of_best_of_n_by_adding_up():
    u = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    for n in (1, 2, 5, 100):
        density = n * u ** (n - 1)
        total = (density * density.clamp(min=1e-300).log()).mean().item()
        assert best_of_kl(n) == pytest.approx(total, abs=1e-3)


def test_best_of_refuses():
    with pytest.raises(ValueError, match="best of 0"):
        best_of_kl(0)
    with pytest.raises(ValueError, match="best of 4 from 3"):
        best_of_mean(torch.zeros(3), torch.zeros(3), 4)


# sampling and log-probabilities


@pytest.mark.parametrize("at_once", [96, 2, 1])
def test_sampled_log_probs_are_those_of_the_model(model, monkeypatch, at_once):
    monkeypatch.setattr("shared.preferences.sampling.AT_ONCE", at_once)
    prompts = [[1, 2, 3], [4], [5, 6], [1, 7, 9]]  # stops in a prompt are none
    model = randomized(model)  # of a newborn one each row says nearly the same
    sampled = sample(model, prompts, {*range(0, 50, 7), 9}, 2, 9, seeded())
    again = text_log_probs(model, sampled.rows, sampled.starts)
    torch.testing.assert_close(sampled.log_probs, again, atol=1e-4, rtol=1e-4)
    for prompt, row, new in zip(prompts, sampled.rows, sampled.continuations, strict=True):
        assert row == prompt + new and 1 <= len(new) <= 9
        stops = [i for i, token in enumerate(new) if token % 7 == 0 or token == 9]
        assert len(stops) < 2 or (len(stops) == 2 and stops[1] == len(new) - 1)
        assert len(stops) == 2 or len(new) == 9


def test_samples_are_as_frequent_as_the_model_says(model):
    sampled = sample(model, [[1, 2]] * 6000, (), 1, 1, seeded())
    counts = torch.bincount(
        torch.tensor([row[-1] for row in sampled.rows]), minlength=SMALL.vocab_size
    )
    probs = model(torch.tensor([[1, 2]]))[0, -1].softmax(-1)
    assert (counts / 6000 - probs).abs().max() < 0.03


def test_log_probs_count_the_continuation_alone(model):
    rows, starts = [rows_of(7), rows_of(4)], [3, 1]
    log_probs = model(torch.tensor(rows[:1]))[0].log_softmax(-1)
    expected = sum(log_probs[i - 1, rows[0][i]] for i in range(3, 7))
    torch.testing.assert_close(text_log_probs(model, rows, starts)[0], expected)


@pytest.mark.parametrize("starts", [[0, 1], [2, 4]])
def test_a_row_without_prompt_or_continuation(model, starts):
    with pytest.raises(ValueError, match="no prompt or no continuation"):
        text_log_probs(model, [[1, 2, 3], [1, 2, 3, 4]], starts)


def test_sampling_refuses_what_does_not_fit(model):
    with pytest.raises(ValueError, match="the context is"):
        sample(model, [[1] * 10], {0}, 1, SMALL.context_length)
    with pytest.raises(ValueError, match="at least 1"):
        sample(model, [[]], {0})


# policy gradient


def test_the_policy_gradient_is_that_of_the_sum_over_all_texts(model):
    """Three tokens after a prompt, all continuations: sum of P(y) R(y), by autograd."""
    texts = [[1, *y] for y in product(range(4), repeat=2)]
    model = GPT(type(SMALL)(4, 8, 8, 2, 1), seeded())
    rewards = torch.randn(16, generator=seeded())
    log_probs = text_log_probs(model, texts, [1] * 16)
    weights = [*model.parameters()]
    assert log_probs.exp().sum().item() == pytest.approx(1, abs=1e-5)
    exact = torch.autograd.grad((log_probs.exp() * rewards).sum(), weights, retain_graph=True)
    # the mean over samples becomes the sum over all: each text weighs P(y), 16 times a mean's 1/16
    for baseline in (0.0, 3.0):
        advantages = 16 * log_probs.exp() * (rewards - baseline)
        loss = policy_gradient_loss(log_probs, advantages)
        found = torch.autograd.grad(loss, weights, retain_graph=True)
        for a, b in zip(found, exact, strict=True):
            torch.testing.assert_close(a, -b, atol=1e-5, rtol=1e-3)


def test_the_policy_gradient_by_finite_differences():
    theta = torch.tensor([0.3, -0.5, 0.1], dtype=torch.float64, requires_grad=True)
    R = torch.tensor([1.0, 4.0, -2.0], dtype=torch.float64)

    def expected(logits):
        return (logits.softmax(0) * R).sum()

    advantages = 3 * theta.softmax(0) * R
    found = torch.autograd.grad(policy_gradient_loss(theta.log_softmax(0), advantages), theta)[0]
    for i, step in enumerate(1e-5 * torch.eye(3, dtype=torch.float64)):
        slope = (expected(theta + step) - expected(theta - step)) / 2e-5
        assert found[i].item() == pytest.approx(-slope.item(), abs=1e-8)


def test_advantages():
    rewards = torch.tensor([[1.0, 0, 0, 1], [2, 2, 2, 2], [0, 1, 2, 3]])
    found = group_advantages(rewards)
    torch.testing.assert_close(found.sum(1), torch.zeros(3), atol=1e-5, rtol=0)
    assert found[1].tolist() == [0, 0, 0, 0]
    assert found[2].std().item() == pytest.approx(1, abs=1e-3)
    torch.testing.assert_close(found, group_advantages(10 * rewards + 3), atol=1e-3, rtol=0)
    for bad in (torch.zeros(4), torch.zeros(4, 1), torch.tensor([[0, math.nan]])):
        with pytest.raises(ValueError, match="groups of at least 2"):
            group_advantages(bad)


def test_token_kl_is_pytorchs():
    p, q = torch.randn(2, 3, 5, 11, generator=seeded()).log_softmax(-1)
    expected = F.kl_div(q, p, log_target=True, reduction="none").sum(-1)
    torch.testing.assert_close(token_kl(p, q), expected)


def improve(model, reference, **options):
    tuning = Tuning(**({"steps": 25, "group": 8, "lr": 3e-3} | options))
    draw = seeded()

    def groups(policy, step):
        return sample(policy, [[step % 5]] * 16, {0}, 1, 4, draw)

    def reward(sampled):
        return [float(7 in new) for new in sampled.continuations]

    return [*policy_gradient(model, reference, groups, reward, tuning)]


def test_a_reward_is_learned_and_the_reference_stays(model):
    reference = frozen(model)
    before = [w.clone() for w in reference.parameters()]
    updates = improve(model, reference, kl_weight=0.0)
    rewards = [update.reward for update in updates]
    assert sum(rewards[-5:]) > sum(rewards[:5]) + 1
    assert updates[0].kl == pytest.approx(0, abs=1e-5) and updates[-1].kl > 0.1
    assert all(torch.equal(a, b) for a, b in zip(before, reference.parameters(), strict=True))


def test_a_kl_penalty_holds_back(model):
    free = improve(GPT(SMALL, seeded()), frozen(model), kl_weight=0.0)[-1].kl
    held = improve(GPT(SMALL, seeded()), frozen(model), kl_weight=2.0)[-1].kl
    assert held < free / 2


def test_kl_that_runs_away_stops_the_run_and_says_when(model):
    with pytest.raises(FloatingPointError, match=r"step \d+: .* nats per continuation, more than"):
        improve(model, frozen(model), lr=0.3, kl_weight=0.0, most_kl=1.0)


def test_the_kl_is_that_of_whole_continuations(model):
    """In nats, all tokens of a continuation added up; a run goes on up to the limit."""
    reference, five = frozen(model), GPT(SMALL, seeded())
    *_, last = updates = improve(model, reference, steps=6, kl_weight=0.0)
    improve(five, reference, steps=5, kl_weight=0.0)  # the policy that drew the last samples
    total = 0.0
    for row, start in zip(last.sampled.rows, last.sampled.starts, strict=True):
        ours, theirs = (
            one(torch.tensor([row[:-1]]))[0, start - 1 :].log_softmax(-1)
            for one in (five, reference)
        )
        total += F.kl_div(theirs, ours, log_target=True, reduction="sum").item()
    assert last.kl == pytest.approx(total / len(last.sampled.rows), rel=1e-3) and last.kl > 0
    most = max(update.kl for update in updates)
    improve(GPT(SMALL, seeded()), reference, steps=6, kl_weight=0.0, most_kl=1.01 * most)
    with pytest.raises(FloatingPointError, match="nats per continuation"):
        improve(GPT(SMALL, seeded()), reference, steps=6, kl_weight=0.0, most_kl=0.99 * most)


@pytest.mark.parametrize(
    "options", [{"steps": 0}, {"lr": -1.0}, {"group": 1}, {"kl_weight": -0.1}, {"most_kl": 0}]
)
def test_tuning_refuses(options):
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        Tuning(**options)


# the reference


def test_a_reference_that_learns_is_refused(model):
    with pytest.raises(ValueError, match=r"not frozen: .* of its weights would learn"):
        improve(model, GPT(SMALL, seeded()))


def test_a_reference_of_another_shape_is_refused(model):
    other = type(SMALL)(SMALL.vocab_size, 16, 8, 2, 1)
    with pytest.raises(ValueError, match="the reference GPTConfig"):
        improve(model, frozen(GPT(other, seeded())))


def test_a_frozen_copy_shares_nothing(model):
    copy = frozen(model)
    assert not any(w.requires_grad for w in copy.parameters()) and not copy.training
    assert all(w.requires_grad for w in model.parameters())
    with torch.no_grad():
        model.wte.weight += 1
    assert not torch.equal(copy.wte.weight, model.wte.weight)


# DPO


def trl_dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta):
    """The sigmoid loss as in TRL's DPOTrainer.dpo_loss, without label smoothing."""
    logratios = chosen - rejected
    ref_logratios = ref_chosen - ref_rejected
    logits = logratios - ref_logratios
    return (-F.logsigmoid(beta * logits)).mean()


def test_dpo_is_trls():
    numbers = -20 * torch.rand(4, 9, generator=seeded())
    for beta in (0.01, 0.1, 1.0):
        torch.testing.assert_close(dpo_loss(*numbers, beta), trl_dpo_loss(*numbers, beta))


def test_dpo_starts_at_ln_2_and_sees_differences_alone():
    a, b, c, d = -5 * torch.rand(4, 6, generator=seeded())
    assert dpo_loss(a, b, a, b, 0.3).item() == pytest.approx(math.log(2))
    torch.testing.assert_close(dpo_loss(a - 9, b - 9, c, d, 0.3), dpo_loss(a, b, c, d, 0.3))
    assert dpo_loss(a + 1, b, a, b, 0.3) < math.log(2) < dpo_loss(a, b + 1, a, b, 0.3)


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.train("Mia had a kite. Ben took it. Ben gave it back. " * 9, 280)


def test_rows_of_pairs(tokenizer):
    """All chosen ones before all rejected ones, and each start where its continuation begins."""
    rows, starts = pair_rows([PAIR, Pair("Ben", " ran", " took a kite")], tokenizer)
    cut = [
        (tokenizer.decode(row[1:n]), tokenizer.decode(row[n:]))
        for row, n in zip(rows, starts, strict=True)
    ]
    assert cut == [
        (PAIR.prompt, PAIR.chosen),
        ("Ben", " ran"),
        (PAIR.prompt, PAIR.rejected),
        ("Ben", " took a kite"),
    ]
    assert {row[0] for row in rows} == {tokenizer.special_tokens["<|endoftext|>"]}


@pytest.mark.parametrize("beta", [0.5, None])
def test_learning_from_pairs(tokenizer, beta):
    model = GPT(type(SMALL)(300, 64, 16, 2, 1), seeded())
    reference = frozen(model)
    steps = [*learn_from_pairs(model, reference, tokenizer, [[PAIR] * 2] * 15, beta, 3e-3)]
    assert steps[0].chosen == pytest.approx(0, abs=1e-5) and steps[-1].loss < steps[0].loss
    assert steps[0].rejected == pytest.approx(0, abs=1e-5)  # both kinds against themselves
    assert steps[-1].chosen > 0
    assert beta is None or steps[-1].rejected < steps[-1].chosen
    with pytest.raises(ValueError, match="not frozen"):
        next(learn_from_pairs(model, GPT(model.config), tokenizer, [[PAIR]], beta))
