"""The server's paths: OpenAI's API, a health page, and a page to try it in a browser."""

import asyncio
import hmac
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from shared.model import GPT
from shared.serving.http import USUAL, Answers, Json, Limits, refuse
from shared.serving.request import Refusal
from shared.text import BPEEncoder

PAGE = Path(__file__).with_name("page.html")
POLICY = (
    "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
)


class Service:
    """The API for one model."""

    def __init__(self, model: GPT, tokenizer: BPEEncoder, name: str, limits: Limits):
        self.name, self.limits = name, limits
        self.answers = Answers(model, tokenizer, name, limits)
        self.writing = None  # the engine at work

    def check_key(self, request: Request) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if (
            not hmac.compare_digest(given.encode("latin-1"), self.limits.key.encode())
            and self.limits.key
        ):
            raise Refusal(401, "the key is wrong, or not there", code="invalid_api_key")

    async def chat(self, request: Request) -> Response:
        self.check_key(request)
        return await self.answers.complete(request, chat=True)

    async def text(self, request: Request) -> Response:
        self.check_key(request)
        return await self.answers.complete(request, chat=False)

    async def models(self, request: Request) -> Response:
        """The one model there is, in a list, or by its name."""
        self.check_key(request)
        model = {"id": self.name, "object": "model", "created": 0, "owned_by": "you"}
        if (asked := request.path_params.get("name", self.name)) != self.name:
            raise Refusal(404, f"there is no model {asked:.60}", "model", "model_not_found")
        return Json(model if "name" in request.path_params else {"object": "list", "data": [model]})

    async def health(self, request: Request) -> Response:
        """Whether the model can write, and what it is doing."""
        well, engine = self.writing and not self.writing.done(), self.answers.engine
        counts = {"running": len(engine.seats.jobs), "waiting": len(engine.waiting)}
        state = {"status": "ok" if well else "down", **counts, "answered": engine.answered}
        return Json(state, 200 if well else 503)

    async def page(self, request: Request) -> Response:
        return HTMLResponse(PAGE.read_bytes(), headers={"Content-Security-Policy": POLICY})

    @asynccontextmanager
    async def life(self, app: Starlette):
        """While the server runs, the engine does."""
        self.writing = asyncio.create_task(self.answers.engine.run())
        yield
        self.writing.cancel()
        with suppress(asyncio.CancelledError):
            await self.writing


def make_app(model: GPT, tokenizer: BPEEncoder, name: str, limits: Limits = USUAL) -> Starlette:
    """The server as an ASGI application, which uvicorn runs."""
    service = Service(model, tokenizer, name, limits)
    routes = [
        Route("/", service.page),
        Route("/health", service.health),
        Route("/v1/models", service.models),
        Route("/v1/models/{name:path}", service.models),
        Route("/v1/completions", service.text, methods=["POST"]),
        Route("/v1/chat/completions", service.chat, methods=["POST"]),
    ]
    cors = Middleware(
        CORSMiddleware, allow_origins=limits.origins, allow_methods=["*"], allow_headers=["*"]
    )
    errors = dict.fromkeys((Refusal, HTTPException, Exception), refuse)
    return Starlette(
        routes=routes, middleware=[cors], exception_handlers=errors, lifespan=service.life
    )
