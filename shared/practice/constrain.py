"""Answers that always match a pattern, as derived in chapter 9: an automaton says what may come.

After Willard and Louf (2023), https://arxiv.org/abs/2307.09702.
Shapes: B rows, V vocabulary.
"""

from collections.abc import Sequence

import torch

from shared.model import GPT, GREEDY, Decoding, KVCache, evaluating, next_logits, sample_token
from shared.practice.pattern import Pattern, derivatives, may_end
from shared.text import BPEEncoder


class Automaton:
    """The states in which a reader of a text can be that should match a pattern; 0 is the first.

    moves: of each state, {byte: next state}; left: how many bytes are missing at least.
    Raises ValueError, with the place, on a pattern that can't be read.
    """

    def __init__(self, pattern: str):
        reading = Pattern(pattern)
        states = [reading.choice()]
        if reading.look():
            raise reading.wrong("a ')' without '('")
        numbers, self.moves = {states[0]: 0}, []
        for state in states:  # it grows while we walk along it
            row = dict(sorted(derivatives(state).items()))  # numbered alike in every run
            for rest in row.values():
                if rest not in numbers:
                    numbers[rest] = len(states)
                    states.append(rest)
            self.moves.append({byte: numbers[rest] for byte, rest in row.items()})
        self.left = distances(self.moves, [n for n, state in enumerate(states) if may_end(state)])

    def step(self, state: int, text: bytes) -> int | None:
        """The state after some more bytes; None if no match begins so."""
        for byte in text:
            if (state := self.moves[state].get(byte)) is None:
                return None
        return state

    def matches(self, text: str) -> bool:
        """Whether a whole text matches."""
        state = self.step(0, text.encode())
        return state is not None and self.left[state] == 0


def distances(moves: Sequence[dict[int, int]], ends: Sequence[int]) -> list[int]:
    """How many moves each state is away from the nearest of the ends."""
    before = [[] for _ in moves]
    for state, row in enumerate(moves):
        for target in row.values():
            before[target].append(state)
    left, queue = dict.fromkeys(ends, 0), [*ends]
    for state in queue:
        for other in before[state]:
            if other not in left:
                left[other] = left[state] + 1
                queue.append(other)
    return [left[state] for state in range(len(moves))]


class Constraint:
    """Which tokens may come in each state of an automaton, and where they lead.

    `end` is the token that may come only where the text matches. Each state's tokens are found
    once, when they are first asked for.
    """

    def __init__(self, pattern: str, tokenizer: BPEEncoder, end: int):
        self.automaton, self.end = Automaton(pattern), end
        self.known = {}
        self.tokens = {i: token for token, i in tokenizer.ids.items()}

    def allowed(self, state: int) -> dict[int, int]:
        """{token: next state} of all tokens that may come; the end leads nowhere."""
        if state not in self.known:
            step, first = self.automaton.step, self.automaton.moves[state]
            some = {i: t for i, t in self.tokens.items() if t[0] in first}
            after = {i: step(state, token) for i, token in some.items()}
            self.known[state] = {i: new for i, new in after.items() if new is not None}
        return self.known[state]

    def choices(self, state: int, room: int) -> list[int]:
        """The tokens after which a match can still end within `room` tokens, its end included."""
        left, new = self.automaton.left, self.allowed(state)
        may = [i for i in new if left[new[i]] + 2 <= room]
        return [*may, self.end] if left[state] == 0 else may


@torch.no_grad()
def constrained(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    constraint: Constraint,
    n_tokens: int = 64,
    decoding: Decoding = GREEDY,
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """What follows each prompt, without the end: at most n_tokens with it, and always a match.

    Raises ValueError if prompt and n_tokens don't fit into the context, or no match into n_tokens.
    """
    least, room = constraint.automaton.left[0] + 1, model.config.context_length
    longest = max(map(len, prompts), default=0)
    if n_tokens < least or longest + n_tokens > room:
        raise ValueError(
            f"{n_tokens} tokens: a match may need {least}, and {longest} of {room} are the prompt"
        )
    rows, states, answers = [[*p] for p in prompts], [0] * len(prompts), [[] for _ in prompts]
    writing = [*range(len(rows))]
    cache = KVCache(model, len(rows), room) if rows else None
    with evaluating(model):
        while writing:
            logits = next_logits(model, [rows[i] for i in writing], cache)
            barred = torch.full_like(logits, float("-inf"))
            for row, i in zip(barred, writing, strict=True):
                row[constraint.choices(states[i], n_tokens - len(answers[i]))] = 0.0
            new = sample_token(logits + barred, decoding, generator).tolist()
            going = [n for n, token in enumerate(new) if token != constraint.end]
            cache.keep(going)
            for n in going:
                i, token = writing[n], new[n]
                states[i] = constraint.allowed(states[i])[token]
                rows[i].append(token)
                answers[i].append(token)
            writing = [writing[n] for n in going]
    return answers
