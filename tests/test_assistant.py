"""The command that makes an assistant, with a model too small to be one."""

import json
import sys

import torch

from shared.model import GPT, load_run, load_tales, save_model
from shared.tasks import assistant
from shared.text import END_OF_TURN
from shared.world import EXACT, REFUSAL
from tests.test_gpt import SMALL, seeded

TOKENIZER = load_tales()[1]
TINY = type(SMALL)(TOKENIZER.vocab_size, 256, 8, 1, 1)


def test_rows_are_conversations_and_stories_that_fit():
    rows = assistant.assistant_rows(TOKENIZER, 60, 256, seed=2)
    turns = [row[0].count(TOKENIZER.special_tokens[END_OF_TURN]) for row in rows]
    assert {*turns} == {0, 8} and turns.count(0) == 10  # an end for each side of four turns
    assert all(len(ids) == len(spoken) <= 257 for ids, spoken in rows)
    said = [TOKENIZER.decode(ids) for ids, _ in rows]
    assert 0.2 < sum(REFUSAL in text for text in said) / turns.count(8) < 0.8
    none = assistant.assistant_rows(TOKENIZER, 60, 256, seed=2, kinds=EXACT)
    assert not any(REFUSAL in TOKENIZER.decode(ids) for ids, _ in none)


def test_the_storyteller_stays_as_it_was(capsys):
    model = GPT(TINY, seeded())
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    made = assistant.make_assistant(model, TOKENIZER, 2)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert not torch.equal(made.wte.weight, model.wte.weight) and not made.training
    assert "step 0 of 2: loss 7." in capsys.readouterr().out


def test_the_command_writes_a_folder_that_can_be_opened(tmp_path, monkeypatch, capsys):
    (start := tmp_path / "start").mkdir()
    save_model(GPT(TINY, seeded()), start / "model.safetensors")
    TOKENIZER.save(start / "vocabulary.json")
    shares = assistant.card(GPT(TINY, seeded()), TOKENIZER, n=9)
    assert shares == dict.fromkeys(shares, 0) and len(shares) == 5
    monkeypatch.setattr(assistant, "card", lambda model, tokenizer: {"questions": 0.5})
    out = tmp_path / "runs" / "assistant"
    command = ["assistant", "--start", str(start), "--out", str(out), "--steps", "2"]
    monkeypatch.setattr(sys, "argv", command)
    assistant.main()
    model, tokenizer = load_run(out)
    assert model.config == TINY and tokenizer.vocab_size == TOKENIZER.vocab_size
    assert json.loads((out / "card.json").read_text()) == {"questions": 0.5}
