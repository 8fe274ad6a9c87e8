"""One-line checks with a good message: for the chapters' claims and the readers' exercises."""

import torch
from torch import Tensor


def check_shape(tensor: Tensor, shape: tuple[int, ...]) -> None:
    """Raises AssertionError with both shapes unless they are equal."""
    if tuple(tensor.shape) != tuple(shape):
        raise AssertionError(f"the shape is {tuple(tensor.shape)}, it should be {tuple(shape)}")


def check_close(actual: Tensor, expected: Tensor, tolerance: float = 1e-6) -> None:
    """Raises AssertionError, saying where and by how much, unless shapes and numbers agree."""
    check_shape(actual, expected.shape)
    difference = (actual.double() - expected.double()).abs().nan_to_num(nan=float("inf"))
    difference[actual == expected] = 0  # equal infinities
    if difference.numel() and not difference.max() <= tolerance:
        place = tuple(int(i) for i in torch.unravel_index(difference.argmax(), difference.shape))
        raise AssertionError(
            f"at {place} {actual[place]:.6g} should be {expected[place]:.6g}, within {tolerance:g}"
        )


def exercise(check):
    """Run the check of an exercise at once, and say "solved" or what is missing.

    The exercise's number comes from the function's name: `check_2_1` belongs to exercise 2.1.
    """
    number = check.__name__.removeprefix("check_").replace("_", ".")
    try:
        check()
    except AssertionError as error:
        print(f"Exercise {number}: not yet ({first_line(error) or 'the check does not hold'})")
    except Exception as error:
        said = ": ".join(filter(None, (type(error).__name__, first_line(error))))
        print(f"Exercise {number}: not yet ({said})")
    else:
        print(f"Exercise {number}: solved")


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
