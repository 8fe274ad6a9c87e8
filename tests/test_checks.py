"""checks.py: what passes, what does not, and what the message says."""

import pytest
import torch

from shared.book import check_close, check_shape, exercise

NAN, INF = float("nan"), float("inf")


def test_shapes():
    check_shape(torch.zeros(2, 3), (2, 3))
    check_shape(torch.tensor(1.0), ())
    with pytest.raises(AssertionError, match=r"\(2, 3\), it should be \(3, 2\)"):
        check_shape(torch.zeros(2, 3), (3, 2))


@pytest.mark.parametrize("numbers", [[], [1.0, 2.0], [INF, -INF, 0.0]])
def test_close(numbers):
    check_close(torch.tensor(numbers), torch.tensor(numbers))
    check_close(torch.tensor(numbers) + 5e-7, torch.tensor(numbers))


@pytest.mark.parametrize("wrong", [[1.0, 2.1], [NAN, 2.0], [INF, 2.0], [1.0, -INF]])
def test_not_close(wrong):
    with pytest.raises(AssertionError, match="should be"):
        check_close(torch.tensor(wrong), torch.tensor([1.0, 2.0]))
    with pytest.raises(AssertionError):
        check_close(torch.tensor([1.0, 2.0]), torch.tensor(wrong))


def test_nan_is_close_to_nothing():
    with pytest.raises(AssertionError):
        check_close(torch.tensor([NAN]), torch.tensor([NAN]))
    with pytest.raises(AssertionError):
        check_close(torch.tensor([1.0]), torch.tensor([2.0]), tolerance=NAN)


def test_the_message_says_where():
    with pytest.raises(AssertionError, match=r"at \(1, 0\) 3.5 should be 3, within 1e-06"):
        check_close(torch.tensor([[1.0, 2], [3.5, 4]]), torch.tensor([[1.0, 2], [3, 4]]))
    check_close(torch.tensor([3.5]), torch.tensor([3.0]), tolerance=0.5)


def test_tolerance_of_integers():
    check_close(torch.tensor([1, 2]), torch.tensor([1, 2]))
    with pytest.raises(AssertionError):
        check_close(torch.tensor([1, 2]), torch.tensor([1, 3]))


def test_booleans_and_bytes():
    check_close(torch.tensor([True, False]), torch.tensor([True, False]))
    with pytest.raises(AssertionError):
        check_close(torch.tensor([True]), torch.tensor([False]))
    with pytest.raises(AssertionError):
        check_close(torch.tensor([0], dtype=torch.uint8), torch.tensor([255], dtype=torch.uint8))


def test_nothing_is_broadcast():
    with pytest.raises(AssertionError, match="shape"):
        check_close(torch.ones(2, 3), torch.ones(3))


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (None, "Exercise 9.1: solved\n"),
        (AssertionError("it returns\nnothing"), "Exercise 9.1: not yet (it returns)\n"),
        (AssertionError(), "Exercise 9.1: not yet (the check does not hold)\n"),
        (TypeError("no length"), "Exercise 9.1: not yet (TypeError: no length)\n"),
        (NotImplementedError(), "Exercise 9.1: not yet (NotImplementedError)\n"),
    ],
)
def test_exercise(capsys, problem, said):
    @exercise
    def check_9_1():
        if problem:
            raise problem

    assert check_9_1 is None
    assert capsys.readouterr().out == said


def test_exercise_of_an_appendix(capsys):
    @exercise
    def check_A_12():
        pass

    assert check_A_12 is None and capsys.readouterr().out == "Exercise A.12: solved\n"
