"""Long runs: killed, resumed, in several processes, from the command line."""

import csv
import re
import subprocess
import sys
from shutil import which
from unittest.mock import Mock

import pytest
import torch

from shared.book import read_tensors
from shared.model import GPT, load_model, next_token_loss
from shared.text import BPETokenizer, TokenFile, story_windows
from shared.training import (
    evaluate,
    long_run,
    loop,
    random_windows,
    rows_and_floor,
    shuffled,
    start_narrow,
)
from shared.training.long_run import main
from shared.world import stories


def words(line):
    return line.split()


SMALL = words("--d-model 16 --n-heads 2 --n-layers 1 --batch-size 4 --warmup 2 --eval-every 3")
TALES = [
    *SMALL,
    *words("--stories 60 --vocab-size 400 --context-length 256 --steps 7 --save-every 2 --seed 5"),
]


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def losses(folder):
    return [float(row["loss"]) for row in rows(folder)]


def test_killed_at_twenty_moments_and_the_same_bits(tmp_path):
    command = [sys.executable, "-m", "tests.kill_and_resume", tmp_path, "1"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    kills, left_over = map(int, re.match(r"(\d+) kills, (\d+) unfinished", said).groups())
    assert "equal: True" in said and kills == 20 and left_over >= 3, said


def test_tales_from_the_command_line(tmp_path):
    main(["--out", str(tmp_path), *TALES])
    table = rows(tmp_path)
    assert [row["step"] for row in table] == list("0123456")
    assert [bool(row["validation"]) for row in table] == [False, False, True] * 2 + [True]
    model = load_model(tmp_path / "model.safetensors")
    assert (model.config.vocab_size, model.config.d_model) == (400, 16)
    tokenizer = BPETokenizer.load(tmp_path / "vocabulary.json")
    assert tokenizer.vocab_size == 400
    told = [tokenizer.encode(story.text) for story in stories(60)]
    windows = story_windows(told, 256, tokenizer.special_tokens["<|endoftext|>"])
    inputs, targets = shuffled(windows[:, :-1], windows[:, 1:], 4, seed=5)(0)
    first = GPT(model.config, torch.Generator().manual_seed(5))
    start_narrow(first)
    assert float(table[0]["loss"]) == pytest.approx(next_token_loss(first(inputs), targets).item())
    unseen, _ = rows_and_floor(tokenizer, 256)
    assert float(table[-1]["validation"]) == pytest.approx(evaluate(model, *unseen), abs=1e-5)


def test_stopped_while_it_validates(tmp_path, monkeypatch):
    """No row of metrics.csv is lost: a step is saved after its row was written."""
    main(["--out", str(tmp_path / "whole"), *TALES])
    for _ in range(2):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(long_run, "evaluate", Mock(side_effect=[1.0, KeyboardInterrupt]))
            main(["--out", str(tmp_path / "stopped"), *TALES])
    main(["--out", str(tmp_path / "stopped"), *TALES])
    assert [row["step"] for row in rows(tmp_path / "stopped")] == list("0123456")
    assert losses(tmp_path / "stopped") == losses(tmp_path / "whole")


def test_a_process_takes_its_part_of_each_batch(tmp_path, monkeypatch):
    seen = []

    def first_batch(model, feed, *_, **__):
        seen.append(feed(0))
        return []

    monkeypatch.setattr(long_run, "train", first_batch)
    for world in (1, 2):
        monkeypatch.setattr(long_run, "processes", lambda world=world: (0, world))
        monkeypatch.setattr(long_run, "DistributedDataParallel", lambda model: model)
        main(["--out", str(tmp_path / str(world)), *TALES])
    (whole, _), (part, _) = seen
    assert len(whole) == 4 and torch.equal(part, whole[::2])


def test_what_cannot_begin_leaves_nothing(tmp_path):
    """A mistake in the command does not make the folder that of another run."""
    out = ["--out", str(tmp_path / "run"), *TALES]
    with pytest.raises(ValueError, match="warm-up of 9 steps does not fit 7"):
        main([*out, "--warmup", "9"])
    main(["--out", str(tmp_path / "other"), *TALES])
    with pytest.raises(ValueError, match="d_model 16, not 32"):
        main([*out, "--start", str(tmp_path / "other"), "--d-model", "32"])
    for name in ("eval", "save"):
        with pytest.raises(ValueError, match=f"{name}_every is 0"):
            main([*out, f"--{name}-every", "0"])
    with pytest.raises(ValueError, match="batch"):
        main([*out, "--batch-size", "100000"])
    main(out)


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff", b"[" * 100_000])
def test_damaged_settings_are_named(tmp_path, content):
    (tmp_path / "settings.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"settings\.json holds no settings"):
        main(["--out", str(tmp_path), *TALES])


@pytest.mark.skipif(which("c++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled(tmp_path):
    """The losses of a compiled model are those of the other."""
    from torch._inductor import config

    short = [*TALES, *words("--steps 3 --eval-every 3")]
    main(["--out", str(tmp_path / "plain"), *short])
    with config.patch({"cpp.vec_isa_ok": False}):  # finding vector instructions takes longest
        main(["--out", str(tmp_path / "compiled"), *short, "--compile"])
    assert losses(tmp_path / "compiled") == pytest.approx(losses(tmp_path / "plain"), abs=1e-4)


def test_stopped_by_a_broken_disk_and_resumed(tmp_path, monkeypatch):
    """The same rows and the same model, whatever metrics.csv held beyond the last saved state."""
    main(["--out", str(tmp_path / "whole"), *TALES])
    real, saved = loop.save_state, []

    def broken(*arguments):
        if saved:
            raise OSError(5, "Input/output error")
        saved.append(real(*arguments))

    with monkeypatch.context() as patch, pytest.raises(OSError, match="Input/output"):
        patch.setattr(loop, "save_state", broken)
        main(["--out", str(tmp_path / "stopped"), *TALES])
    with (tmp_path / "stopped" / "metrics.csv").open("a") as file:
        file.write("4,1.2")  # killed in the middle of a row
    main(["--out", str(tmp_path / "stopped"), *TALES])
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert (whole / "metrics.csv").read_bytes() == (stopped / "metrics.csv").read_bytes()
    for name in ("model.safetensors", "state.safetensors"):
        notes = [read_tensors(run / name)[1] for run in (whole, stopped)]
        assert notes[0] == notes[1], name  # and so the checksums of the tensors


def test_two_processes_have_the_losses_of_one(tmp_path):
    main(["--out", str(tmp_path / "one"), *TALES])
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*torchrun, "-m", "shared.training", "--out", tmp_path / "two", *TALES]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-5)
    assert losses(tmp_path / "two")[0] != losses(tmp_path / "two")[-1]
    grad_norms = ([row["grad_norm"] for row in rows(tmp_path / run)] for run in ("one", "two"))
    one, two = ([float(norm) for norm in norms] for norms in grad_norms)
    assert two == pytest.approx(one, abs=1e-4)


def test_a_text_of_one_s_own(tmp_path):
    text = "".join(f"Line {i} of a text that nobody knows: {i * i}.\n" for i in range(300))
    (tmp_path / "my.txt").write_text(text)
    options = ["--data", str(tmp_path / "my.txt"), "--vocab-size", "300", "--context-length", "16"]
    main(
        ["--out", str(tmp_path / "run"), *SMALL, *options, *words("--steps 30 --lr 1e-2 --seed 5")]
    )
    tokenizer = BPETokenizer.load(tmp_path / "run" / "vocabulary.json")
    parts = [TokenFile(tmp_path / "run" / f"{name}.npy") for name in ("train", "validation")]
    assert tokenizer.decode([i for part in parts for i in part[:].tolist()]) == text
    assert len(parts[1]) == pytest.approx(0.1 * sum(map(len, parts)), abs=1)
    assert losses(tmp_path / "run")[-1] < losses(tmp_path / "run")[0] - 1
    model = load_model(tmp_path / "run" / "model.safetensors")
    first = GPT(model.config, torch.Generator().manual_seed(5))
    start_narrow(first)
    inputs, targets = random_windows(parts[0], 16, 4, seed=5)(0)
    expected = next_token_loss(first(inputs), targets).item()
    assert losses(tmp_path / "run")[0] == pytest.approx(expected)
    assert float(rows(tmp_path / "run")[-1]["validation"]) < losses(tmp_path / "run")[0] - 1


def test_going_on_from_a_finished_run(tmp_path):
    """With its model and its tokenizer, and a new schedule."""
    main(["--out", str(tmp_path / "one"), *TALES, "--lr", "1e-2", "--steps", "30"])
    options = ["--start", str(tmp_path / "one"), "--lr", "1e-3", "--stories", "50"]
    main(["--out", str(tmp_path / "two"), *TALES, *options])
    tokenizers = [(tmp_path / run / "vocabulary.json").read_bytes() for run in ("one", "two")]
    assert tokenizers[0] == tokenizers[1]
    assert losses(tmp_path / "two")[0] == pytest.approx(losses(tmp_path / "one")[-1], abs=0.3)
    assert losses(tmp_path / "two")[0] < losses(tmp_path / "one")[0] - 1


def test_other_settings_in_the_same_folder(tmp_path):
    main(["--out", str(tmp_path), *TALES])
    with pytest.raises(ValueError, match=r"another run; .*'lr': \('0.004', '0.1'\)"):
        main(["--out", str(tmp_path), *TALES, "--lr", "0.1"])


@pytest.mark.parametrize(("text", "merges"), [("", 0), ("Too short. " * 3, 8)])
def test_a_text_too_short_for_its_vocabulary(tmp_path, text, merges):
    (tmp_path / "my.txt").write_text(text)
    with pytest.raises(ValueError, match=f"too short: {merges} merges, 1788 needed"):
        main(["--out", str(tmp_path / "run"), "--data", str(tmp_path / "my.txt")])


def test_a_text_too_short_for_its_context(tmp_path):
    (tmp_path / "my.txt").write_text("Too short. " * 20)
    options = ["--data", str(tmp_path / "my.txt"), "--vocab-size", "260"]
    with pytest.raises(ValueError, match=r"\d+ tokens hold no window of 256"):
        main(["--out", str(tmp_path / "run"), *options])


def test_no_such_text(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.txt"):
        main(["--out", str(tmp_path / "run"), "--data", str(tmp_path / "nothing.txt")])


@pytest.mark.parametrize("name", ["train", "validation"])
def test_damaged_tokens_are_noticed_before_the_first_step(tmp_path, name):
    """An id that became another is still an id: only the checksum tells."""
    (tmp_path / "my.txt").write_text("One red kite and one blue boat. " * 99)
    options = ["--data", str(tmp_path / "my.txt"), "--vocab-size", "270", "--context-length", "16"]
    command = ["--out", str(tmp_path / "run"), *SMALL, *options, "--steps"]
    main([*command, "4"])
    path = tmp_path / "run" / f"{name}.npy"
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}\.npy is damaged: the checksum"):
        main([*command, "4"])
