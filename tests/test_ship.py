"""Taking a run into the book: the files, the curve of all its parts, and what the card says."""

import json
from functools import partial

import pytest
import torch

from shared.model import GPT, MODEL, TOKENIZER, GPTConfig, load_run, save_model
from shared.text import SPECIAL_TOKENS, BPETokenizer
from shared.training import report, ship
from shared.world import stories


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two parts of a tiny run, and a place to ship it to."""
    monkeypatch.setattr(report, "READ", 60)
    monkeypatch.setattr(ship, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(ship, "load_tales", lambda: load_run(tmp_path / "checkpoints"))
    monkeypatch.setattr(ship, "report", partial(report.report, n=3))
    bpe = BPETokenizer.train([story.text for story in stories(60)], 700, SPECIAL_TOKENS)
    for i in range(2):
        (folder := tmp_path / f"part{i}").mkdir()
        model = GPT(GPTConfig(700, 256, 16, 2, 1), torch.Generator().manual_seed(i))
        save_model(model, folder / MODEL)
        bpe.save(folder / TOKENIZER)
        rows = ["step,loss,validation\n", f"{i}0,2.5,\n", f"{i}1,2.0,1.9\n"]
        (folder / "metrics.csv").write_text("".join(rows))
        (folder / "settings.json").write_text(json.dumps({"seed": str(i)}))
    return [tmp_path / "part0", tmp_path / "part1"]


def test_the_last_model_all_curves_and_the_same_card_twice(runs, capsys):
    ship.main(runs)
    place = ship.CHECKPOINTS
    card = json.loads((place / "card.json").read_text())
    assert json.loads(capsys.readouterr().out) == card
    assert (place / "curve.csv").read_text() == "step,loss,validation\n01,2.0,1.9\n11,2.0,1.9\n"
    assert [one["seed"] for one in card["settings"]] == ["0", "1"]
    shipped, last = load_run(place)[0].state_dict(), load_run(runs[-1])[0].state_dict()
    assert all(torch.equal(shipped[name], last[name]) for name in last)
    torch.rand(7)  # what others draw changes nothing
    ship.main(runs)
    assert json.loads((place / "card.json").read_text()) == card
    assert 0 < card["nats_per_token_above_the_floor"] < 9


def test_a_story_that_was_read_is_not_new(runs, monkeypatch):
    """A model that repeats stories of the training set tells nothing novel."""
    told = [story.text for story in stories(60)][:3]
    monkeypatch.setattr(report, "complete", lambda *rest: told)
    ship.main(runs)
    quality = json.loads((ship.CHECKPOINTS / "card.json").read_text())["quality"]
    assert quality["novel"] == 0
    monkeypatch.setattr(report, "complete", lambda *rest: [f"{text} So." for text in told])
    ship.main(runs)
    assert json.loads((ship.CHECKPOINTS / "card.json").read_text())["quality"]["novel"] == 1
