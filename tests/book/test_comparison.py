"""How stored and new outputs are compared: what may differ, and what may not."""

import subprocess
import sys

import nbformat
import pytest

from conftest import Output, room, words_of
from tests.book.test_notebooks import book, code
from tests.notebooks import ROOT

FIGURE = '<div class="lm-figure"><svg aria-label="{}"><g>{}</g></svg></div>'

SLIDER = (
    '<div class="lm-slider"><label for="lm-{}">{}</label><div class="lm-frame" data-value="{}">'
    + FIGURE.format("A", "{}")
    + "</div></div>"
)


@pytest.mark.parametrize(
    ("stored", "new"),
    [
        ("loss 1.234", "loss 1.235"),
        ("loss 1.2e-05", "loss 1.3e-05"),
        ("[0.5, -0.25]", "[0.5, -0.26]"),
        ("1234567.89", "1234560.12"),
        ("9,999.99 tokens", "10,000.00 tokens"),
        ("1e-05", "9e-06"),
        ("9e-06", "1e-05"),
        (FIGURE.format("A curve", "one"), FIGURE.format("A curve", "two 12.5")),
        (SLIDER.format("89abcdef", "Epoch", 2, "one"), SLIDER.format("01234567", "Epoch", 2, "12")),
        ('src="data:image/png;base64,AAAA"', 'src="data:image/png;base64,BBBB/+"'),
        ("<object at 0x7f3a2b1c>", "<object at 0x7f3a2b1d>"),
    ],
)
def test_may_differ(stored, new):
    assert Output(words_of(stored)) == Output(words_of(new))


@pytest.mark.parametrize(
    ("stored", "new"),
    [
        ("token 417", "token 418"),
        ("loss 1.234", "loss 1.236"),
        ("loss 1.234", "lost 1.234"),
        ("1 2", "1 2 3"),
        ("1 2 3", "1 2"),
        ("-0.5", "0.5"),
        ("1.2e-05", "1.4e-05"),
        ("loss 1", "loss nan"),
        ("3", "3.5"),
        ("GPT2", "GPT3"),
        ("1,000", "1,001"),
        ("1,000", "1000"),
        ("[1, 2]", "[1 2]"),
        ("[1,23]", "[12,3]"),
        ("1,2345", "12,345"),
        ("1,0.5", "10.5"),
        ("1e-05", "1e-06"),
        ("1e-06", "1e-05"),
        ("0.5", "0.7"),
        (SLIDER.format("0" * 8, "Epoch", 2, ""), SLIDER.format("0" * 8, "Step", 2, "")),
        (SLIDER.format("0" * 8, "Epoch", 2, ""), SLIDER.format("0" * 8, "Epoch", 3, "")),
        (FIGURE.format("A curve", "one"), FIGURE.format("A bar", "one")),
        (FIGURE.format("A", "") + "x", FIGURE.format("A", "") + "y"),
        (FIGURE.format("A", "") * 2, FIGURE.format("A", "")),
    ],
)
def test_may_not_differ(stored, new):
    assert Output(words_of(stored)) != Output(words_of(new))
    assert not Output(words_of(stored)) == Output(words_of(new))  # noqa: SIM201


@pytest.mark.parametrize(
    ("tags", "stored", "new", "same"),
    [
        (["within:0.05"], "loss 1.23", "loss 1.27", True),
        (["within:0.05"], "loss 1.23", "loss 1.29", False),
        (["within:0.05"], "loss 1.23", "lost 1.23", False),
        (["within:0.05"], "loss 1.23", "loss 1.23 2", False),
        (["within:3"], "  9% of 40", " 11% of 40", True),
        (["within:3"], "  9% of 40", " 13% of 40", False),
        (["within:10%"], "2,000 tokens", "1,801 tokens", True),
        (["within:10%"], "2,000 tokens", "1,799 tokens", False),
        (["within:10%"], "-1.0", "1.0", False),
        (["within:0.01", "within:10%"], "0.001 100", "0.011 91", True),
        (["within:0.01", "within:10%"], "0.001 100", "0.012 91", False),
        (["hide-input"], "9", "10", False),
        (["within:3"], "nan", "3", False),
    ],
)
def test_room(tags, stored, new, same):
    """A stated tolerance holds for the numbers, and for nothing else."""
    one, other = Output(stored), Output(new)
    one.room = other.room = room(tags)
    assert (one == other) is same
    assert (other == one) is same


def test_a_whole_notebook(tmp_path):
    """A right cell, a wrong output, an error, and a cell whose data can't be had."""
    wrong = book(
        code("print(1 / 3)", "0.33333334\n", count=1),
        code("print(41)", "42\n", count=2),
        code("raise OSError('planted')", count=3),
        code("print(open('nothing').read())", "text\n", count=4, tag="requires:gpt2-weights"),
        code("print('silent')", count=5),
        code("raise OSError('allowed')", count=7, tag="raises-exception"),
        code("print('changed')", "stored\n", count=6, tag="nbval-ignore-output"),
        code("print(1.5)", "1.54\n", count=8, tag="within:0.05"),
        code("print(1.5)", "1.56\n", count=9, tag="within:0.05"),
    )
    nbformat.write(wrong, tmp_path / "wrong.ipynb")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(ROOT)]
    command += ["-c", str(ROOT / "pyproject.toml"), "--confcutdir", str(ROOT), "-p", "conftest"]
    command += ["--nbval", "--nbval-current-env", "-q", "--color=no", "-rA", str(tmp_path)]
    environment = {"LLM_BOOK_CACHE": str(tmp_path), "http_proxy": "http://127.0.0.1:9"}
    environment |= {"https_proxy": "http://127.0.0.1:9", "PATH": "/usr/bin:/bin"}
    environment |= {"HOME": str(tmp_path)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    results = [
        line for line in ran.stdout.splitlines() if line.startswith(("PASS", "FAIL", "SKIP"))
    ]
    assert sorted(line.split()[0] for line in results) == [
        *["FAILED"] * 5,
        *["PASSED"] * 3,
        "SKIPPED",
    ]
    assert "gpt2-weights can't be had here" in ran.stdout
    failed = [line for line in results if line.startswith("FAILED")]
    assert [line.split("Cell ")[1][0] for line in failed] == ["1", "2", "4", "5", "8"]
