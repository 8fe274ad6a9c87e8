"""The server under load: nothing is lost or mixed, memory stays, and clients may leave or fail."""

import asyncio
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import openai
import pytest
import torch

from shared.model import Decoding, next_logits
from shared.serving import engine
from shared.serving.engine import Seats
from shared.serving.http import Limits
from shared.text import END_OF_TEXT
from tests.serving import TOKENIZER, T, alone, serving, small_model, until
from tests.test_batches import resident
from tests.test_gpt import close, seeded

MODEL, TEXT = small_model(), "/v1/completions"
START = TOKENIZER.special_tokens[END_OF_TEXT]


def text_ids(text):
    return [START, *TOKENIZER.encode_ordinary(text)]


def health(address):
    return httpx.get(f"{address}/health").json()


def counts(address):
    state = health(address)
    return state["running"], state["waiting"]


@pytest.fixture
def gate(monkeypatch):
    """Holds the model before each step while it is closed; it can also fail."""
    gate = SimpleNamespace(open=threading.Event(), error=None, rows=[])
    gate.open.set()

    def held(model, rows, cache):
        gate.rows.append(len(rows))
        assert gate.open.wait(20)
        if gate.error:
            raise gate.error
        return next_logits(model, rows, cache)

    monkeypatch.setattr(engine, "next_logits", held)
    yield gate
    gate.open.set()


def run(coroutine):
    """In a thread of its own: a browser's test may have left a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


async def ask_all(address, n_clients, n_rounds):
    """Clients with prompts, lengths and seeds of their own, half of them streaming."""

    async def one(client, number):
        for i in range(n_rounds):
            text, n = "the cat and " * (number % 4) + f"dog {number}", 1 + (7 * number + i) % 29
            options = {"prompt": text, "max_tokens": n, "seed": number, "temperature": number % 3}
            if number % 2:
                stream = await client.completions.create(model="small", stream=True, **options)
                found = "".join([chunk.choices[0].text async for chunk in stream])
            else:
                answer = await client.completions.create(model="small", **options)
                found = answer.choices[0].text
            answers.append((options, found))

    answers, options = [], {"api_key": "x", "max_retries": 0, "timeout": 60}
    async with openai.AsyncOpenAI(base_url=f"{address}/v1", **options) as client:
        await asyncio.gather(*(one(client, number) for number in range(n_clients)))
    assert len(answers) == n_clients * n_rounds
    return answers


def test_fifty_clients_at_once(gate):
    with serving(MODEL) as address:
        answers = run(ask_all(address, 50, 2))
        before = resident() if os.path.exists("/proc/self/statm") else None
        answers += run(ask_all(address, 50, 2))
        assert before is None or resident() - before < 8e6
        state = health(address)
    assert state == {"status": "ok", "running": 0, "waiting": 0, "answered": 200}
    assert max(gate.rows) == 16 and sum(n > 8 for n in gate.rows) > 20
    assert len({found for _, found in answers}) > 40
    for asked, found in answers:
        decoding, seed = Decoding(asked["temperature"]), seeded(asked["seed"])
        ids, n = text_ids(asked["prompt"]), asked["max_tokens"]
        assert found == alone(MODEL, ids, n, decoding, seed)[0]


def test_a_thousand_at_once():
    """Each is answered or told to come again, and the answers are right."""
    expected, _ = alone(MODEL, text_ids("the cat"), 3, Decoding(0))

    async def ask(address):
        pool = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(limits=pool, timeout=60) as client:
            body = {"prompt": "the cat", "max_tokens": 3, "temperature": 0}
            asked = (client.post(address + TEXT, json=body) for _ in range(1000))
            return await asyncio.gather(*asked)

    with serving(MODEL) as address:
        answers = run(ask(address))
        found = [answer.status_code for answer in answers]
        assert {*found} == {200, 429} and found.count(200) >= 80
        for answer in answers:
            if answer.status_code == 200:
                assert answer.json()["choices"][0]["text"] == expected
            else:
                assert answer.headers["Retry-After"] == "1"
                assert "try again" in answer.json()["error"]["message"]
        assert counts(address) == (0, 0) and health(address)["answered"] == found.count(200)


def test_the_line_is_bounded(gate):
    with serving(MODEL, Limits(running=2, waiting=3)) as address, ThreadPoolExecutor() as pool:
        gate.open.clear()
        body = {"prompt": "a", "max_tokens": 2}
        jobs = []
        for expected in ((1, 0), (1, 1), (1, 2), (1, 3)):  # the second waits for the first's step
            jobs.append(pool.submit(httpx.post, address + TEXT, json=body, timeout=30))
            until(lambda expected=expected: counts(address) == expected)
        with openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client:
            with pytest.raises(openai.RateLimitError, match="3 requests are waiting") as error:
                client.completions.create(model="small", prompt="a")
            assert error.value.response.headers["Retry-After"] == "1"
            gate.open.set()
            assert [job.result().status_code for job in jobs] == [200] * 4
            assert client.completions.create(model="small", prompt="a", max_tokens=1).usage
    assert max(gate.rows) == 2


def test_a_short_answer_does_not_wait_for_a_long_one(gate):
    with serving(MODEL) as address, ThreadPoolExecutor() as pool:
        gate.open.clear()
        long = {"prompt": "the", "max_tokens": 50, "temperature": 0}
        jobs = [pool.submit(httpx.post, address + TEXT, json=long)]
        until(lambda: gate.rows)
        jobs.append(pool.submit(httpx.post, address + TEXT, json={**long, "max_tokens": 2}))
        until(lambda: counts(address) == (1, 1))
        gate.open.set()
        short, long = jobs[1].result().json(), jobs[0].result().json()
    expected, n = alone(MODEL, text_ids("the"), 50, Decoding(0))
    assert long["choices"][0]["text"] == expected
    assert expected.startswith(short["choices"][0]["text"])
    # one reads alone, the other reads alone, one step together, and then the first goes on alone
    assert gate.rows == [1, 1, 2] + [1] * (n - 2)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_makes_room(gate, stream):
    """Whether it was being answered or still waited."""
    with serving(MODEL, Limits(running=1)) as address:
        gate.open.clear()
        host, port = address.removeprefix("http://").split(":")
        body = b'{"prompt": "a", "max_tokens": 60, "stream": %s}' % (
            b"true" if stream else b"false"
        )
        head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" % TEXT.encode()
        clients = []
        for expected in ((1, 0), (1, 1)):
            clients.append(socket.create_connection((host, int(port))))
            clients[-1].sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            until(lambda expected=expected: counts(address) == expected)
        clients[1].close()
        until(lambda: counts(address) == (1, 0))
        clients[0].close()
        time.sleep(0.05)
        gate.open.set()
        until(lambda: counts(address) == (0, 0))
        assert len(gate.rows) < 5 and health(address)["answered"] == 0
        found = httpx.post(address + TEXT, json={"prompt": "a", "max_tokens": 1})
        assert found.status_code == 200


def test_half_a_request_and_silence():
    with serving(MODEL, Limits(seconds=0.2)) as address:
        host, port = address.removeprefix("http://").split(":")
        head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" % TEXT.encode()
        with socket.create_connection((host, int(port))) as client:
            client.sendall(head + b'Content-Length: 99\r\n\r\n{"pro')
            assert client.recv(12) == b"HTTP/1.1 408"
        with socket.create_connection((host, int(port))) as client:
            client.sendall(head + b'Content-Length: 99\r\n\r\n{"pro')
        assert health(address)["status"] == "ok"


def test_an_answer_that_takes_too_long(gate):
    with serving(MODEL, Limits(running=1, seconds=0.3)) as address:
        gate.open.clear()
        found = httpx.post(address + TEXT, json={"prompt": "a"})
        assert found.status_code == 504 and "0.3 seconds" in found.json()["error"]["message"]
        with openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client:
            stream = client.completions.create(model="small", prompt="a", stream=True)
            with pytest.raises(openai.APIError, match=r"0\.3 seconds"):
                list(stream)
            gate.open.set()
            until(lambda: counts(address) == (0, 0))
            assert client.completions.create(model="small", prompt="a", max_tokens=1).usage


def test_a_model_that_fails_fails_alone(gate):
    """Those who write with it are told; the next are answered as if nothing had been."""
    with serving(MODEL) as address:
        gate.error = RuntimeError("out of memory, and other secrets")
        found = httpx.post(address + TEXT, json={"prompt": "a"})
        assert found.status_code == 500 and found.json()["error"]["type"] == "server_error"
        assert "secrets" not in found.text and health(address)["status"] == "ok"
        gate.error = None
        body = {"prompt": "the", "max_tokens": 9, "temperature": 0}
        text = httpx.post(address + TEXT, json=body).json()["choices"][0]["text"]
        assert text == alone(MODEL, text_ids("the"), 9, Decoding(0))[0]


def test_seats_are_taken_and_given_up():
    """Jobs of many lengths come and go; the logits are always those of each alone."""
    seats, random = Seats(MODEL, 5), seeded(1)

    def draw(n):
        return int(torch.randint(n, (), generator=random))

    for _ in range(60):
        for job in seats.jobs:
            job.over = draw(3) == 0 or len(job.ids) > T - 3
        seats.leave()
        old = len(seats.jobs)
        assert not any(job.over for job in seats.jobs)
        while len(seats.jobs) < 5 and draw(2):
            ids = [draw(TOKENIZER.vocab_size) for _ in range(1 + draw(20))]
            seats.sit(SimpleNamespace(ids=ids, over=False))
        for start, stop in ((0, old), (old, len(seats.jobs))):
            if start < stop and (start or stop == len(seats.jobs)):
                logits = seats.logits(MODEL, start)
                kept = seats.cache.lengths[start : len(seats.jobs)].tolist()
                assert kept == [len(job.ids) for job in seats.jobs[start:]]
                for job, found in zip(seats.jobs[start:], logits, strict=True):
                    close(found, next_logits(MODEL, [job.ids])[0])
                    job.ids.append(draw(TOKENIZER.vocab_size))
