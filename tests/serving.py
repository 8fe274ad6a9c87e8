"""A server on this machine for as long as a test needs it, and models for it."""

import contextlib
import socket
import threading
import time
from dataclasses import replace

import uvicorn

from shared.model import GPT, generate
from shared.serving.app import make_app
from shared.serving.http import USUAL
from tests.test_gpt import SMALL, randomized
from tests.test_instruct import TOKENIZER

T = 64
CONFIG = replace(SMALL, vocab_size=TOKENIZER.vocab_size, context_length=T)


def small_model() -> GPT:
    """A random model that writes all kinds of bytes."""
    return randomized(GPT(CONFIG))


@contextlib.contextmanager
def serving(model=None, limits=USUAL):
    """The address of a server."""
    app = make_app(model or small_model(), TOKENIZER, "small", limits)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as door:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        server.should_exit = server.force_exit = True
        thread.join(10)
        assert not thread.is_alive()


def until(true, seconds=10.0):
    """Wait until it is."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it has not come true"
        time.sleep(0.005)


def alone(model, ids, n, decoding, generator=None) -> tuple[str, int]:
    """What `generate` writes behind these ids, as text, and in how many tokens."""
    written = generate(model, [ids], n, None, decoding, generator)[0][len(ids) :]
    ends = [i for i, token in enumerate(written) if token in TOKENIZER.special_tokens.values()]
    end = ends[0] if ends else n
    return TOKENIZER.decode(written[:end]), min(end + 1, n)
