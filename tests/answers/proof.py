"""The proof of a check: right answers in other words pass, wrong ones are told what is wrong."""

import re
from dataclasses import dataclass, field
from textwrap import indent

import pytest

from tests.answers import cells

COUNTED = {"wrong": 0, "right": 0}  # answers judged as they should be; conftest.py prints it


@dataclass
class Exercise:
    """What is tried. Answers are bodies below the head; a body without `return` is what returns."""

    number: str
    head: str  # "def pad(rows, pad_id):" or "answer_3_1 ="
    right: list[str]
    wrong: list[tuple[str, str]]  # words of the message, and the answer
    secrets: list[str] = field(default_factory=list)  # patterns that neither check nor message has

    def code(self, body: str) -> str:
        if body.startswith(("@", self.head.partition("(")[0])):  # says it all itself
            return body
        if not self.head.startswith("def "):
            return f"{self.head} {body}"
        lines = body if re.search(r"^\s*(return|raise|pass)\b", body, re.M) else f"return {body}"
        return f"{self.head}\n{indent(lines, '    ')}"

    def said(self, body: str) -> str:
        everything = [*self.right, *(answer for _, answer in self.wrong)]
        return cells.said(self.number, self.code(body), [self.code(one) for one in everything])


def proof(chapter: str, *exercises: Exercise):
    """A class of tests for the exercises of a chapter."""
    wrong = [(one, words, body) for one in exercises for words, body in one.wrong]
    right = [(one, body) for one in exercises for body in one.right]

    class TestAnswers:
        def test_all_exercises_are_here(self):
            assert [one.number for one in exercises] == cells.exercises(chapter)
            for one in exercises:
                bodies = [body for _, body in one.wrong] + one.right
                assert len({*bodies}) == len(bodies), f"{one.number}: the same answer twice"
                assert len(one.wrong) >= 8 and len(one.right) >= 2, one.number

        @pytest.mark.parametrize("one", exercises, ids=lambda one: one.number)
        def test_an_empty_hand_in(self, one):
            _, stub, check = cells.parts(one.number)
            said = cells.said(one.number, stub, [])
            assert said == f"Exercise {one.number}: not yet (not started)\n"
            for secret in one.secrets:
                assert not re.search(secret, check), f"the check shows {secret}"

        @pytest.mark.parametrize("one, body", right, ids=lambda x: getattr(x, "number", None))
        def test_right(self, one, body):
            assert one.said(body) == f"Exercise {one.number}: solved\n"
            COUNTED["right"] += 1

        @pytest.mark.parametrize(
            "one, words, body", wrong, ids=lambda x: getattr(x, "number", None)
        )
        def test_wrong(self, one, words, body):
            said = one.said(body)
            assert said.startswith(f"Exercise {one.number}: not yet (") and words in said, said
            assert "the check does not hold" not in said
            for secret in one.secrets:
                told = re.search(secret, said.partition("not yet")[2])
                assert not told or re.search(secret, body), f"{said} has {secret}"
            COUNTED["wrong"] += 1

    return TestAnswers
