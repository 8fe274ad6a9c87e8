"""Checks with a good message: for the chapters' claims and the readers' exercises.

`ask` calls a reader's function, `compare` judges what came, `exercise` prints it.
"""

import dis
import inspect
import os
from copy import deepcopy

import torch
from torch import Tensor, nn


def check_shape(tensor: Tensor, shape: tuple[int, ...]) -> None:
    """Raises AssertionError with both shapes unless they are equal."""
    if tuple(tensor.shape) != tuple(shape):
        raise AssertionError(f"the shape is {tuple(tensor.shape)}, it should be {tuple(shape)}")


def check_close(actual: Tensor, expected: Tensor, tolerance: float = 1e-6) -> None:
    """Raises AssertionError, saying where and by how much, unless shapes and numbers agree."""
    check_shape(actual, expected.shape)
    if (place := farthest(actual.double(), expected.double(), tolerance)) is not None:
        raise AssertionError(
            f"at {place} {actual[place]:.6g} should be {expected[place]:.6g}, within {tolerance:g}"
        )


def farthest(found: Tensor, right: Tensor, tolerance: float) -> tuple[int, ...] | None:
    """Where two tensors differ most, () if in shape; None if nowhere by more than tolerated."""
    if found.shape != right.shape:
        return ()
    difference = (found - right).abs().nan_to_num(nan=float("inf"))
    difference[found == right] = 0  # equal infinities
    if not difference.numel() or difference.max() <= tolerance:
        return None
    return tuple(int(i) for i in torch.unravel_index(difference.argmax(), found.shape))


def ask(function, *inputs, nothing: bool = False):
    """What an answer returns for these inputs, which it has to leave as they are.

    Raises AssertionError, naming the call, if it stops, changes its inputs, or returns nothing
    (unless `nothing` is an answer).
    """
    name, given = getattr(function, "__name__", "the answer"), deepcopy(inputs)
    call = f"{name}({', '.join(map(short, inputs))})"
    try:
        result = function(*given)
    except NotImplementedError:
        raise AssertionError("not started") from None
    except Exception as error:
        raise AssertionError(
            f"{call} stops with {type(error).__name__}, {cut(str(error), 150)}"
        ) from error
    if not same(given, inputs):
        raise AssertionError(f"{call} changes what it was given: work on a copy")
    if result is ... or (result is None and is_stub(function)):
        raise AssertionError("not started")
    if result is None and not nothing:
        raise AssertionError(f"{call} returns nothing")
    return result


def is_stub(function) -> bool:
    """Whether a function does nothing but return, as `def f(x): ...` does."""
    steps = {step.opname for step in dis.get_instructions(inspect.unwrap(function))}
    return steps <= {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}


def same(one, other) -> bool:
    """Whether two inputs are equal; a module counts as unchanged."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    return isinstance(one, nn.Module) or bool(one == other)


def compare(result, right, call, mistakes=None, tolerance=1e-5, otherwise=None) -> None:
    """Raises AssertionError unless an answer gives the right numbers, in whatever spelling.

    `mistakes` has, for the words that name a mistake, the numbers that it leads to. `otherwise` is
    said instead of the numbers, where these are a secret.
    """
    try:
        found, right = numbers(result), numbers(right)
    except (TypeError, ValueError, RuntimeError):
        raise AssertionError(f"{call} gives {short(result)}, not numbers of one shape") from None
    if farthest(found, right, tolerance) is None:
        return
    shown = found.nan_to_num(nan=1e99)  # a mistake may lead to nan
    for words, wrong in (mistakes or {}).items():
        if farthest(shown, numbers(wrong).nan_to_num(nan=1e99), tolerance) is None:
            raise AssertionError(f"{call}: {words}")
    if found.shape != right.shape:
        words = f"gives the shape {tuple(found.shape)}, expected {tuple(right.shape)}"
    elif otherwise:
        words = otherwise
    elif found.numel() <= 8:
        words = f"gives {short(found)}, expected {short(right)}"
    else:
        place = farthest(found, right, tolerance)
        words = f"gives {short(found[place])} at {place}, expected {short(right[place])}"
    raise AssertionError(f"{call}: {words}")


def numbers(result) -> Tensor:
    """A result as float64: a tensor, an array, a number, or lists of these."""
    if isinstance(result, list | tuple):
        return torch.stack([numbers(x) for x in result]) if result else torch.zeros(0).double()
    return torch.as_tensor(result).detach().cpu().double()


def short(value) -> str:
    """A value as it stands in a message: numbers rounded, large ones by their shape."""
    if isinstance(value, Tensor):
        return short(value.tolist()) if value.numel() <= 12 else f"numbers {tuple(value.shape)}"
    if isinstance(value, list):
        return cut(f"[{', '.join(map(short, value))}]", 60)
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:.4g}"
    return cut(repr(value), 60)


def cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 3] + "..."


def exercise(check):
    """Run the check of an exercise at once, and say "solved" or what is missing.

    The exercise's number comes from the function's name: `check_2_1` belongs to exercise 2.1.
    With LLM_BOOK_GRADING=1 it also raises what is missing, so that a grader counts it.
    """
    number = check.__name__.removeprefix("check_").replace("_", ".")
    try:
        check()
    except Exception as error:
        seen = isinstance(error, AssertionError)
        words = cut(str(error) if seen else f"the answer can't be read: {error!r}", 300)
        print(f"Exercise {number}: not yet ({words or 'the check does not hold'})")
        if os.environ.get("LLM_BOOK_GRADING") == "1":
            raise
    else:
        print(f"Exercise {number}: solved")
