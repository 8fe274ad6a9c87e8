"""What a client may ask of the server, and how it is told that something cannot be.

The fields are those of OpenAI's API (https://platform.openai.com/docs/api-reference), as far as
the model can do what they say.
"""

import json
from dataclasses import dataclass

from shared.model import Decoding

FIELDS = {"model", "max_tokens", "temperature", "top_p", "stop", "seed", "stream"}
FIELDS |= {"stream_options", "user", "metadata", "store"}  # the last three change nothing
ALONE = {  # known fields of which only one value can be had
    "n": 1,
    "best_of": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logprobs": False,
    "echo": False,
    "logit_bias": {},
    "tools": [],
    "response_format": {"type": "text"},
}
STOPS = 4


class Refusal(Exception):
    """What a client is told instead of an answer: an HTTP status, and words that help."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str = ""):
        super().__init__(message)
        self.status, self.param, self.code = status, param, code

    def body(self) -> dict:
        """In the form in which OpenAI's clients read it."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        error = {"message": str(self), "type": kind, "param": self.param, "code": self.code or None}
        return {"error": error}


@dataclass(frozen=True)
class Order:
    """What is to be written: behind these ids, at most so many tokens, chosen so."""

    model: str  # empty: the one there is
    ids: list[int]
    limit: int
    decoding: Decoding
    seed: int | None
    stops: tuple[str, ...]
    stream: bool
    usage: bool  # also at the end of a stream


def read_json(raw: bytes) -> dict:
    """The fields of a body; those that are null are as if they were not there."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"the body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refusal(400, "the body should be a JSON object: {...}")
    return {name: value for name, value in body.items() if value is not None}


def check_fields(body: dict, chat: bool) -> None:
    """Raises Refusal, naming it, on a field that is unknown or cannot be had with this value."""
    own = {"messages", "max_completion_tokens"} if chat else {"prompt"}
    for name, value in body.items():
        if name in ALONE and value != ALONE[name]:
            raise Refusal(400, f"{name} can only be {json.dumps(ALONE[name])} here", name)
        if name not in FIELDS | own | ALONE.keys():
            raise Refusal(400, f"unknown field {name!r:.60}", f"{name:.60}")


def number(body: dict, name: str, default: float | None, low: float, high: float, kind=float):
    """A number between two others, both allowed; of kind int a whole one."""
    if name not in body:
        return default
    right = isinstance(value := body[name], int | kind) and not isinstance(value, bool)
    if not (right and low <= value <= high):
        what = "whole number" if kind is int else "number"
        raise Refusal(400, f"{name} is {value!r:.40}: it should be a {what}, {low} to {high}", name)
    return value


def flag(body: dict, name: str) -> bool:
    """True or false, and false if it is not there."""
    if not isinstance(value := body.get(name, False), bool):
        raise Refusal(400, f"{name} is {value!r:.40}: it should be true or false", name)
    return value


def stop_texts(body: dict) -> tuple[str, ...]:
    """The texts before which writing stops: none, one, or a list of up to STOPS."""
    stops = [value] if isinstance(value := body.get("stop", []), str) else value
    right = isinstance(stops, list) and len(stops) <= STOPS
    if not right or not all(isinstance(stop, str) and stop for stop in stops):
        raise Refusal(400, f"stop should be a text or a list of up to {STOPS}, none empty", "stop")
    return tuple(stops)
