"""Requests and answers as HTTP has them: bodies, streams, errors, and clients that hang up."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from shared.model import GPT
from shared.serving.engine import Engine
from shared.serving.job import Form, Job, event
from shared.serving.prompt import read_order
from shared.serving.request import Refusal
from shared.text import BPEEncoder

LARGEST = 2**18  # bytes of a request; of a larger one, up to MOST are read and dropped
MOST = 2**26


@dataclass(frozen=True)
class Limits:
    """How much at once, how long, and for whom."""

    running: int = 16  # requests for which the model writes at the same time
    waiting: int = 64
    seconds: float = 60.0  # for an answer, the wait included
    key: str = ""  # empty: none is asked for
    origins: tuple[str, ...] = ()  # of pages elsewhere that a browser may let use the server


USUAL = Limits()


class Json(JSONResponse):
    """In ASCII: even half a character can be told back to the client who sent it."""

    def render(self, content) -> bytes:
        return json.dumps(content).encode()


async def refuse(request: Request, error: Exception) -> Response:
    """An error in OpenAI's form."""
    if isinstance(error, HTTPException):
        error = Refusal(error.status_code, f"{error.detail}: {request.method} {request.url.path}")
    if not isinstance(error, Refusal):
        error = Refusal(500, "something went wrong in the server: see its log")
    headers = {"Retry-After": "1"} if error.status == 429 else None
    return Json(error.body(), error.status, headers)


async def read_body(request: Request, seconds: float) -> bytes:
    """The body. Raises Refusal if it is too large, too slow, or not JSON by its own account."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refusal(415, "the header Content-Type should be application/json")
    raw, n = bytearray(), 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                n += len(chunk)
                raw += chunk if n <= LARGEST else b""
                if n > MOST:
                    break
    except TimeoutError as error:
        raise Refusal(408, f"the request was not there after {seconds:g} seconds") from error
    if n > LARGEST:
        raise Refusal(413, f"the request has more than {LARGEST:,} bytes")
    return bytes(raw)


async def pieces(engine: Engine, job: Job, seconds: float) -> AsyncIterator[str]:
    """The answer, piece by piece. Raises Refusal if it comes too late or the model fails."""
    until = time.monotonic() + seconds
    try:
        while True:
            piece = await asyncio.wait_for(job.pieces.get(), until - time.monotonic())
            if piece is None:
                return
            if isinstance(piece, Exception):
                raise Refusal(500, "the model could not write this: see the log") from piece
            yield piece
    except TimeoutError as error:
        raise Refusal(504, f"the answer was not there after {seconds:g} seconds") from error
    finally:
        engine.drop(job)  # also if the client has hung up


async def hung_up(request: Request) -> None:
    """Returns when the client is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


class Answers:
    """What one model writes, as answers to requests."""

    def __init__(self, model: GPT, tokenizer: BPEEncoder, name: str, limits: Limits):
        self.model, self.tokenizer, self.name, self.limits = model, tokenizer, name, limits
        self.engine = Engine(model, limits.running, limits.waiting)

    async def complete(self, request: Request, chat: bool) -> Response:
        """An answer, or a stream of its pieces."""
        try:
            raw = await read_body(request, self.limits.seconds)
        except ClientDisconnect:
            return Response()  # which nobody reads
        order = read_order(raw, self.tokenizer, self.model.config.context_length, chat)
        if order.model not in ("", self.name):
            raise Refusal(404, f"there is only the model {self.name}", "model", "model_not_found")
        job, form = Job(order, self.tokenizer), Form(self.name, chat, order.stream)
        self.engine.submit(job)
        if order.stream:
            return StreamingResponse(self.events(job, form), media_type="text/event-stream")
        answer, leaving = map(asyncio.create_task, (self.whole(job), hung_up(request)))
        await asyncio.wait({answer, leaving}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not answer.done():
            answer.cancel()
            return Response()
        return Json(form.answer(answer.result(), job) | form.usage(job))

    async def whole(self, job: Job) -> str:
        return "".join([piece async for piece in pieces(self.engine, job, self.limits.seconds)])

    async def events(self, job: Job, form: Form) -> AsyncIterator[str]:
        """The pieces as they come. An error after the first is an event too."""
        yield event(form.answer(""))
        try:
            async for piece in pieces(self.engine, job, self.limits.seconds):
                yield event(form.answer(piece, first=False))
        except Refusal as error:
            yield event(error.body())
            return
        yield event(form.answer("", job, first=False))
        if job.order.usage:
            yield event(form.head | {"choices": []} | form.usage(job))
        yield event("[DONE]")
