"""An answer on its way: from the model's tokens to pieces of text, in the form a client reads."""

import asyncio
import codecs
import json
import time
from uuid import uuid4

import torch

from shared.serving.request import Order
from shared.text import BPEEncoder


class Words:
    """Tokens to text, as soon as it is certain: no half characters, and nothing of a stop text."""

    def __init__(self, stops: tuple[str, ...]):
        self.stops, self.stopped = stops, False
        self.decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.held = ""  # decoded, but it may be the beginning of a stop text

    def add(self, token: bytes, last: bool = False) -> str:
        """What can be said now that one more token has come."""
        text = self.held + self.decoder.decode(token, last)
        if found := [text.index(stop) for stop in self.stops if stop in text]:
            self.stopped, self.held = True, ""
            return text[: min(found)]
        begun = [n for stop in self.stops for n in range(1, len(stop)) if text.endswith(stop[:n])]
        keep = len(text) - (0 if last else max(begun, default=0))
        self.held = text[keep:]
        return text[:keep]


class Job:
    """An order that is being filled: each new piece of text goes to `pieces`, at the end None."""

    def __init__(self, order: Order, tokenizer: BPEEncoder):
        self.order, self.tokens = order, tokenizer.tokens
        self.ends = {*tokenizer.special_tokens.values()}
        self.ids, self.words = [*order.ids], Words(order.stops)
        self.generator = torch.Generator()
        self.generator.seed() if order.seed is None else self.generator.manual_seed(order.seed)
        self.pieces = asyncio.Queue()
        self.reason = ""  # why it ended: "stop" or "length"
        self.over = False

    @property
    def written(self) -> int:
        """How many tokens the model has written."""
        return len(self.ids) - len(self.order.ids)

    def take(self, token: int) -> None:
        """The next token."""
        self.ids.append(token)
        end, full = token in self.ends, self.written == self.order.limit
        text = self.words.add(b"" if end else self.tokens[token], last=end or full)
        if text:
            self.pieces.put_nowait(text)
        if end or full or self.words.stopped:
            self.reason = "stop" if end or self.words.stopped else "length"
            self.finish(None)

    def finish(self, why: Exception | None) -> None:
        """Nothing more will come: all has been said, or something went wrong."""
        self.over = True
        self.pieces.put_nowait(why)


class Form:
    """The form of an answer to one request, whole or in chunks, of a chat or of a text."""

    def __init__(self, model: str, chat: bool, stream: bool):
        self.chat, self.stream = chat, stream
        kind = ("chat.completion" + ".chunk" * stream) if chat else "text_completion"
        number = f"{'chatcmpl' if chat else 'cmpl'}-{uuid4().hex}"
        self.head = {"id": number, "object": kind, "created": int(time.time()), "model": model}

    def answer(self, text: str, job: Job | None = None, first: bool = True) -> dict:
        """The whole of it, or a chunk; with the job, the one in which it ends."""
        said = {"role": "assistant"} if first else {}
        said |= {"content": text} if text or not self.stream or first else {}
        named = {"delta" if self.stream else "message": said} if self.chat else {"text": text}
        reason = job.reason if job else None
        return self.head | {
            "choices": [{"index": 0, **named, "logprobs": None, "finish_reason": reason}]
        }

    def usage(self, job: Job) -> dict:
        """How many tokens were read and written."""
        read, written = len(job.order.ids), job.written
        counts = {"prompt_tokens": read, "completion_tokens": written}
        return {"usage": counts | {"total_tokens": read + written}}


def event(content: dict | str) -> str:
    """A server-sent event."""
    return f"data: {content if isinstance(content, str) else json.dumps(content)}\n\n"
