"""One model that writes for many clients at once: continuous batching.

At each step every job that runs gets one more token. A job that is done leaves, and one that
waits takes its place, in the middle of the others' texts (Orca: Yu et al., 2022).
"""

import asyncio
import logging
from collections import deque
from copy import copy

from torch import Tensor

from shared.model import GPT, KVCache, next_logits, sample_token
from shared.serving.job import Job
from shared.serving.request import Refusal


class Seats:
    """A KV cache in whose rows jobs sit. They take the first rows, so that there are no gaps.

    All memory is taken at once: it does not grow.
    """

    def __init__(self, model: GPT, n_rows: int):
        self.cache, self.jobs = KVCache(model, n_rows, model.config.context_length), []

    def part(self, rows: slice) -> KVCache:
        """Some rows of the cache, which are a cache themselves, in the same memory."""
        part = copy(self.cache)
        part.keys = [keys[rows] for keys in self.cache.keys]
        part.values = [values[rows] for values in self.cache.values]
        part.lengths = self.cache.lengths[rows]
        return part

    def sit(self, job: Job) -> None:
        """The next free row is this job's."""
        self.cache.lengths[len(self.jobs)] = 0
        self.jobs.append(job)

    def leave(self) -> None:
        """Jobs that are over give up their rows; each time the last row moves into the gap."""
        for i in reversed(range(len(self.jobs))):
            if self.jobs[i].over:
                last = self.jobs.pop()
                if last.over:  # it is the one: those behind i are not over
                    continue
                self.jobs[i] = last
                for part in (*self.cache.keys, *self.cache.values, self.cache.lengths):
                    part[i] = part[len(self.jobs)]

    def logits(self, model: GPT, start: int) -> Tensor:
        """Of what follows in the rows from this one on, of which it reads what is new.  (B, V)"""
        rows = slice(start, len(self.jobs))
        part = self.part(rows)
        logits = next_logits(model, [job.ids for job in self.jobs[rows]], part)
        self.cache.lengths[rows] = part.lengths
        return logits


class Engine:
    """The jobs that run and those that wait: at most so many of each."""

    def __init__(self, model: GPT, running: int, waiting: int):
        self.model, self.n_running, self.n_waiting = model.eval(), running, waiting
        self.seats, self.waiting = Seats(model, running), deque()
        self.work, self.answered = asyncio.Event(), 0

    def submit(self, job: Job) -> None:
        """Put a job at the end of the line. Raises Refusal if the line is full."""
        if len(self.waiting) >= self.n_waiting:
            raise Refusal(429, f"{len(self.waiting)} requests are waiting: try again in a moment")
        self.waiting.append(job)
        self.work.set()

    def drop(self, job: Job) -> None:
        """Nobody waits for this job any more."""
        job.over = True
        if job in self.waiting:
            self.waiting.remove(job)

    async def run(self) -> None:
        """Write for as long as the server lives: the new ones' first tokens, or one for each."""
        while True:
            self.seats.leave()
            old = len(self.seats.jobs)
            while self.waiting and len(self.seats.jobs) < self.n_running:
                self.seats.sit(self.waiting.popleft())
            if self.seats.jobs:
                await self.advance(old if old < len(self.seats.jobs) else 0)
            else:
                self.work.clear()
                await self.work.wait()

    async def advance(self, start: int) -> None:
        """One more token for the jobs in the rows from this one on; an error is only theirs."""
        jobs = self.seats.jobs[start:]
        try:
            tokens = await asyncio.to_thread(self.step, start)
        except Exception as error:
            logging.getLogger(__name__).exception("the model could not write")
            for job in jobs:
                job.finish(error)
            return
        for job, token in zip(jobs, tokens, strict=True):
            if not job.over:  # its client has not hung up meanwhile
                job.take(token)
                self.answered += job.over

    def step(self, start: int) -> list[int]:
        """The next token of each of these rows, drawn by its job's own generator."""
        jobs = self.seats.jobs[start:]
        logits = self.seats.logits(self.model, start)
        rows = zip(logits.split(1), jobs, strict=True)
        return [int(sample_token(row, job.order.decoding, job.generator)) for row, job in rows]
