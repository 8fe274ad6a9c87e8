"""The table of small runs: its grid, one run, and a command that goes on where it was stopped."""

from dataclasses import replace

import pytest

from shared.model import TALES
from shared.training import scaling
from shared.training.scaling import Moment, Run, grid, main, read_table, write_table

ROWS = [
    (Run("scaling", 32, 4), Moment(4, 8192, 5.25, 6.0, 0.1)),
    (Run("rate", 64, 4, 2, 0.001, 0.0), Moment(4, 2048, 6.5, 7.0, 0.2)),
]


def test_a_table_is_read_as_it_was_written(tmp_path):
    write_table(tmp_path / "a.csv", ROWS)
    assert read_table(tmp_path / "a.csv") == ROWS


def test_the_grid():
    runs = grid()
    assert len({*runs}) == len(runs) > 40
    assert {run.experiment for run in runs} == {"scaling", "rate", "batch", "optimizer"}
    rows = {run.batch * run.steps for run in runs if run.experiment == "batch"}
    assert max(rows) == 8 * 37 and min(rows) > 0.95 * max(rows)
    assert max(run.steps for run in grid(10)) == 120


def test_the_stored_table():
    """What chapter 5 plots is there: several widths and lengths; rates and seeds of optimizers."""
    table = read_table()
    widths = {run.width for run, _ in table if run.experiment == "scaling"}
    lengths = {run.steps for run, _ in table if run.experiment == "scaling"}
    assert len(widths) >= 3 and len(lengths) >= 3
    for run, moment in table:
        assert moment.step == run.steps
        assert moment.tokens == moment.step * run.batch * TALES.context_length
        assert 0 < moment.gap < 8 and -1 <= moment.cosine <= 1
    seeds = {False: {}, True: {}}  # of AdamW's rates, of Muon's
    for run, _ in table:
        if run.experiment == "optimizer":
            seeds[run.muon_lr > 0].setdefault((run.lr, run.muon_lr), []).append(run.seed)
    for rates in seeds.values():
        assert len(rates) >= 3 and [0, 1, 2] in rates.values()
    ends = {
        (run.width, run.steps): moment.gap for run, moment in table if run.experiment == "scaling"
    }
    for width in widths:
        gaps = [ends[width, steps] for steps in sorted(lengths)]
        assert gaps == sorted(gaps, reverse=True), width


@pytest.mark.slow
def test_the_command_goes_on(tmp_path, monkeypatch, capsys):
    runs = [Run("scaling", 32, 2, 2), Run("optimizer", 32, 3, 2, seed=1)]
    monkeypatch.setattr(scaling, "grid", lambda share: runs)
    monkeypatch.setattr(scaling, "TALES", replace(TALES, vocab_size=600, n_layers=1))
    monkeypatch.setattr(scaling.Lab.__init__, "__defaults__", (80,))
    path = tmp_path / "t.csv"
    write_table(path, [(runs[0], ROWS[0][1])])
    main(["--out", str(path), "--share", "1"])
    table = read_table(path)
    assert table[0] == (runs[0], ROWS[0][1])  # not run again
    [(run, moment)] = table[1:]
    assert run == runs[1] and moment.gap > 3
    assert (moment.step, moment.tokens) == (3, 3 * 2 * 256)  # steps, rows, tokens a row
    assert capsys.readouterr().out.count("Run(") == 1
