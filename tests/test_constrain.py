"""Patterns against Python's own `re`, and constrained answers of models that know nothing."""

import random
import re

import pytest

from shared.model import CHECKPOINTS, GPT, TOKENIZER, Decoding, generate
from shared.practice import Automaton, Constraint, constrained
from shared.practice.pattern import Pattern, derivatives, may_end
from shared.text import END_OF_TEXT, BPETokenizer
from tests.test_gpt import SMALL, randomized, seeded

PATTERNS = [
    "", "a", "ab|a", "(a|b)*abb", "a?b+", "[a-c]*d", "x|yy|", "(ab|a)(c|bcd)", r"\(a\)", r"\[\*\]",
    "[^a-y ]z", "é+", '{"x": "(red|blue)"}', "[a-z]*@[a-z]+", "((a|b)?c)*", "(a*)*b", "((a+)?|b)+",
    "[-a]b", "[a-]b", "[,.]x", r"[\]a]+", "(a*)*", "(|a)b", "a{2}",
]  # fmt: skip


def texts(pattern: str, n: int = 400) -> list[str]:
    """Random texts of the pattern's own characters, and some that match."""
    letters, draw = sorted({*pattern} | {*"abcdxyz@"}), random.Random(pattern)
    found = ["".join(draw.choices(letters, k=draw.randrange(7))) for _ in range(n)]
    node = Pattern(pattern).choice()
    for _ in range(40):  # walks along what may come
        state, text = node, b""
        while (rows := derivatives(state)) and not (may_end(state) and draw.random() < 0.3):
            byte = draw.choice(sorted(rows))
            state, text = rows[byte], text + bytes([byte])
            if len(text) > 30:
                break
        found.append(text.decode(errors="ignore"))
    return found


@pytest.mark.parametrize("pattern", PATTERNS)
def test_matches_what_re_matches(pattern):
    automaton, theirs = Automaton(pattern), re.compile(re.sub(r"([{}])", r"\\\1", pattern))
    verdicts = [(automaton.matches(text), bool(theirs.fullmatch(text))) for text in texts(pattern)]
    assert all(a == b for a, b in verdicts) and {b for _, b in verdicts} == {True, False}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_states_are_few_and_their_distances_right(pattern):
    """Breadth first from each state, by hand."""
    automaton = Automaton(pattern)
    assert len(automaton.moves) <= 40
    for state, left in enumerate(automaton.left):
        level, n = {state}, 0
        while not any(automaton.left[s] == 0 for s in level):
            level, n = {t for s in level for t in automaton.moves[s].values()}, n + 1
        assert n == left


@pytest.mark.parametrize("pattern", PATTERNS)
def test_states_are_numbered_in_the_order_of_bytes(pattern):
    """Breadth first, smallest byte first: the same numbers in every run, whatever sets do."""
    met = [0]
    moves = Automaton(pattern).moves
    for state in met:
        assert [*moves[state]] == sorted(moves[state])
        met += [new for new in dict.fromkeys(moves[state].values()) if new not in met]
    assert met == [*range(len(moves))]


def test_a_state_is_what_is_still_to_come():
    automaton = Automaton("ab|ac")
    state = automaton.step(0, b"a")
    assert automaton.moves[state].keys() == {*b"bc"} and automaton.left == [2, 1, 0]
    assert automaton.step(0, b"b") is None and automaton.step(0, b"") == 0
    assert len(Automaton("(red|blue|green)x").moves) == 2 + 1 + 2 + 3 + 4  # tails are shared


@pytest.mark.parametrize(
    "pattern, said",
    [
        ("(a", r"something is missing at character 2"),
        ("(a|b", "something is missing"),
        ("a)", r"a '\)' without '\(' at character 1"),
        ("*a", r"'\*' that belongs to nothing at character 1"),
        ("a|+", r"'\+' that belongs to nothing"),
        ("[]", "class that is empty"),
        ("[é]", "printable ASCII"),
        ("[ab", "something is missing"),
        ("a\\", "something is missing"),
        ("a]", r"'\]' that belongs to nothing"),
    ],
)
def test_what_cannot_be_read(pattern, said):
    with pytest.raises(ValueError, match=said):
        Automaton(pattern)


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.load(CHECKPOINTS / TOKENIZER)


@pytest.fixture(scope="module")
def model(tokenizer):
    """A model that has learned nothing: whatever it says that fits, the constraint has made."""
    config = {"vocab_size": tokenizer.vocab_size, "context_length": 48}
    return randomized(GPT(type(SMALL)(**{**vars(SMALL), **config})), size=0.5)


def test_the_tokens_that_may_come_are_those_after_which_a_match_begins(tokenizer):
    """Against all tokens, by `re` with all ends of a finite language."""
    language = ["red", "ready", "rye bread"]
    constraint = Constraint("|".join(language), tokenizer, 0)
    for text in ("", "r", "re", "rea", "rye"):
        state = constraint.automaton.step(0, text.encode())
        wanted = {
            i
            for token, i in tokenizer.ids.items()
            if any(word.encode().startswith(text.encode() + token) for word in language)
        }
        assert constraint.allowed(state).keys() == wanted and wanted


ANSWERS = [
    "It was (red|blue)\\.",
    '{"a": "[a-z]+", "b": "[a-z ]*"}',
    "[a-z]*",
    "é(ü|ö)*",
    "(ab)+c?",
]


@pytest.mark.parametrize("pattern", ANSWERS)
@pytest.mark.parametrize("temperature", [0, 1, 3])
def test_always_a_match(model, tokenizer, pattern, temperature):
    constraint = Constraint(pattern, tokenizer, tokenizer.special_tokens[END_OF_TEXT])
    prompts = [[5, 6, 7], [8], [9, 10], [11] * 9]
    least = constraint.automaton.left[0] + 1
    for n_tokens in (least, 38):
        answers = constrained(
            model, prompts, constraint, n_tokens, Decoding(temperature), seeded(3)
        )
        said = [tokenizer.decode(answer) for answer in answers]
        assert all(re.fullmatch(re.sub(r"([{}])", r"\\\1", pattern), text) for text in said)
        assert max(map(len, answers)) < n_tokens
        assert not {constraint.end} & {i for answer in answers for i in answer}
    if temperature == 3 and pattern == "[a-z]*":
        assert len({*said}) > 2


def test_nothing_is_barred_where_nothing_is_forbidden(model, tokenizer):
    """With a pattern of all printable texts the tokens are those of `generate` over them."""
    end = tokenizer.special_tokens[END_OF_TEXT]
    constraint = Constraint("[^~]*", tokenizer, end)
    free = [i for i, t in enumerate(tokenizer.tokens) if all(32 <= b < 126 for b in t) and i != end]
    model.lm_head.weight.data[[i for i in range(tokenizer.vocab_size) if i not in free]] = 0
    prompts = [[70, 71], [80, 81, 82]]
    expected = generate(model, prompts, 9)
    found = constrained(model, prompts, constraint, 30)
    for prompt, row, answer in zip(prompts, expected, found, strict=True):
        n = next((k for k, i in enumerate(row[len(prompt) :]) if i not in free), 9)
        assert answer[:n] == row[len(prompt) :][:n] and n


def test_no_room(model, tokenizer):
    constraint = Constraint("abc", tokenizer, 0)
    for prompts, n in (([[1]], 3), ([[1] * 40], 9)):
        with pytest.raises(
            ValueError, match=f"{n} tokens: a match may need 4, and {len(prompts[0])} of 48"
        ):
            constrained(model, prompts, constraint, n)
    assert constrained(model, [], constraint, 9) == []
