"""Serving: a model behind OpenAI's API, for many clients at once."""

from shared.book.later import later

__all__ = ["USUAL", "Engine", "Limits", "Refusal", "make_app"]

__getattr__ = later(
    __name__,
    {
        "app": ("make_app",),
        "engine": ("Engine",),
        "http": ("USUAL", "Limits"),
        "request": ("Refusal",),
    },
)
