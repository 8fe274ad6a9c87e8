"""checks.py: what passes, what does not, and what the message says."""

import math

import pytest
import torch

from shared.book import ask, check_close, check_shape, compare, exercise

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
        (AssertionError("it returns\n  nothing"), "Exercise 9.1: not yet (it returns nothing)\n"),
        (AssertionError(), "Exercise 9.1: not yet (the check does not hold)\n"),
        (
            TypeError("no length"),
            "Exercise 9.1: not yet (the answer can't be read: TypeError('no length'))\n",
        ),
    ],
)
@pytest.mark.parametrize("graded", ["1", "", None])
def test_exercise(capsys, monkeypatch, problem, said, graded):
    """Under a grader what is missing is raised too, so that an empty hand-in has no point."""
    monkeypatch.delenv("LLM_BOOK_GRADING", raising=False)
    if graded is not None:
        monkeypatch.setenv("LLM_BOOK_GRADING", graded)

    def check_9_1():
        if problem:
            raise problem

    if problem and graded == "1":
        with pytest.raises(type(problem)):
            exercise(check_9_1)
    else:
        assert exercise(check_9_1) is None
    assert capsys.readouterr().out == said


def test_exercise_of_an_appendix(capsys):
    @exercise
    def check_A_12():
        pass

    assert check_A_12 is None and capsys.readouterr().out == "Exercise A.12: solved\n"


def stub(x): ...


def documented_stub(x):
    """(T,) -> (T,)"""


def promised(x):
    raise NotImplementedError


@torch.no_grad()
def decorated(x): ...


@pytest.mark.parametrize("function", [stub, documented_stub, promised, decorated, lambda x: ...])
@pytest.mark.parametrize("nothing", [False, True])
def test_a_stub_is_not_started(function, nothing):
    with pytest.raises(AssertionError, match=r"^not started$"):
        ask(function, 1, nothing=nothing)


def test_what_an_answer_may_not_do():
    def returns_nothing(x):
        x = 2 * x

    with pytest.raises(AssertionError, match=r"^returns_nothing\(1\) returns nothing$"):
        ask(returns_nothing, 1)
    assert ask(returns_nothing, 1, nothing=True) is None
    with pytest.raises(AssertionError, match=r"^<lambda>\(1\) stops with ZeroDivisionError, div"):
        ask(lambda x: x / 0, 1)
    with pytest.raises(AssertionError, match="stops with TypeError"):
        ask("not a function", 1)


@pytest.mark.parametrize(
    ("change", "given"),
    [
        (list.sort, [2, 1]),
        (list.pop, [2, 1]),
        (lambda rows: rows[0].append(3), [[1], [2]]),
        (lambda x: x.mul_(2), torch.ones(2)),
        (lambda some: some[1].zero_(), [torch.ones(1), torch.ones(2)]),
        (lambda x: x.resize_(1), torch.ones(2)),
        (lambda pair: pair[0].clear(), ([1], 2)),
    ],
)
def test_a_changed_input_is_seen_and_the_caller_keeps_his(change, given):
    with pytest.raises(AssertionError, match="changes what it was given"):
        ask(change, given)
    ask(lambda x: 1, given)  # as it was
    assert len(given) == 2


@pytest.mark.parametrize(
    "result",
    [
        torch.tensor([1.0, 0.0]),
        torch.tensor([True, False]),
        torch.tensor([1, 0], dtype=torch.uint8),
        torch.tensor([1.0, 0.0], requires_grad=True),
        torch.tensor([1.0, 0.0]).numpy(),
        [1, 0],
        (True, 0.0),
        [torch.tensor(1), torch.tensor(1e-7)],
    ],
)
def test_a_right_answer_in_any_spelling(result):
    compare(result, [1, 0], "it")


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ([2, 1], "it: this is turned round"),
        ([math.nan, 1], "it: this is nothing"),
        ([1, 3], "it: gives [1, 3], expected [1, 2]"),
        ([1, math.nan], "it: gives [1, nan], expected [1, 2]"),
        ([1, 2, 3], "it: gives the shape (3,), expected (2,)"),
        ("one", "it gives 'one', not numbers of one shape"),
        ([[1], [1, 2]], "it gives [[1], [1, 2]], not numbers of one shape"),
        (None, "it gives None, not numbers of one shape"),
    ],
)
def test_a_wrong_answer_is_told_its_mistake(result, said):
    mistakes = {"this is turned round": [2, 1], "this is nothing": torch.tensor([math.nan, 1])}
    with pytest.raises(AssertionError) as problem:
        compare(result, torch.tensor([1, 2]), "it", mistakes)
    assert str(problem.value) == said


def test_of_many_numbers_the_worst_is_named_and_secrets_are_kept():
    with pytest.raises(AssertionError, match=r"gives 9.5 at \(2, 1\), expected 0$"):
        wrong = torch.zeros(3, 4)
        wrong[0, 0], wrong[2, 1] = 1, 9.5
        compare(wrong, torch.zeros(3, 4), "it")
    with pytest.raises(AssertionError, match=r"^it: count again$"):
        compare(4, 5, "it", otherwise="count again")


def test_a_tolerance_is_no_more_than_it_says():
    check_close(torch.tensor([2.0]), torch.tensor([2.1]), tolerance=0.11)
    with pytest.raises(AssertionError, match=r"within 0\.1"):
        check_close(torch.tensor([2.0]), torch.tensor([2.15]), tolerance=0.1)


def test_inputs_of_another_type_are_changed_inputs():
    def answer(tensors):
        tensors[0] = tensors[0].double()
        return tensors[0]

    with pytest.raises(AssertionError, match="changes what it was given"):
        ask(answer, [torch.ones(2)])
