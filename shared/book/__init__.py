"""What serves the book itself: pictures, checks, files and the data that others made.

Each part is loaded when it is asked for, so that nobody waits for what he does not use.
"""

from shared.book.later import later

__all__ = [
    "Picture",
    "ask",
    "available",
    "check_close",
    "check_shape",
    "compare",
    "data",
    "exercise",
    "fetch",
    "picture",
    "plots",
    "read_tensors",
    "whole_file",
    "write_tensors",
]

__getattr__ = later(
    __name__,
    {
        "checks": ("ask", "check_close", "check_shape", "compare", "exercise"),
        "data": ("available", "fetch"),
        "files": ("whole_file",),
        "picture": ("Picture",),
        "tensorfile": ("read_tensors", "write_tensors"),
    },
)
