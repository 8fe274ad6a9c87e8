"""Answers to the exercises of chapter 2."""

from tests.answers.proof import Exercise, proof

by_hand = Exercise(
    "2.1",
    "answer_2_1 =",
    right=['["abab", "ab", "c", "ab"]', '("abab", "ab", "c", "ab")', '"abab ab c ab"',
           '[b"abab", b"ab", b"c", b"ab"]', '"abab | ab | c | ab"'],
    wrong=[
        ("one merge", '["ab", "ab", "ab", "c", "ab"]'),
        ("nothing is merged", '[*"abababcab"]'),
        ("more than two merges", '["abab", "abc", "ab"]'),
        ("that is too much", '["ababab", "c", "ab"]'),
        ("that is too much", '["ababab", "cab"]'),
        ("count again", '["ab", "ab", "abc", "ab"]'),
        ("count anew", '["ab", "ab", "ab", "cab"]'),
        ("more frequent at first", '["a", "ba", "ba", "b", "c", "a", "b"]'),
        ("from the left", '["ab", "abab", "c", "ab"]'),
        ("your parts spell 'ababcab'", '["abab", "c", "ab"]'),
        ("not the merges", '[("a", "b"), ("ab", "ab")]'),
        ("join the most frequent pair", '["abab", "ab", "c", "a", "b"]'),
        ("join the most frequent pair", '["aba", "bab", "c", "ab"]'),
    ],
    secrets=["abab.{1,5}ab.{1,5}c.{1,5}ab"],
)  # fmt: skip
COUNT = (
    "starts = range(0, n - T, stride)\nreturn sum(start + 1 <= i <= start + T for start in starts)"
)
asked = Exercise(
    "2.2",
    "def times_asked(i, n, T, stride):",
    right=[
        COUNT,
        "first, last = max(0, i - T), min(i - 1, n - T - 1)\n"
        "return max(0, last // stride - (first - 1) // stride)",
        "return torch.tensor([float(s < i <= s + T) for s in range(0, n - T, stride)]).sum()",
        "return len([s for s in range(n - T) if s % stride == 0 and 0 < i - s <= T])",
    ],
    wrong=[
        ("counts the inputs", COUNT.replace("start + 1 <= i <= start + T", "start <= i < start + T")),
        ("needs a target for its last", COUNT.replace("n - T,", "n - T + 1,")),
        ("the last window that fits", COUNT.replace("n - T,", "n - T - 1,")),
        ("each multiple of the stride", COUNT.replace(", stride)", ")")),
        ("the last ends with the row", COUNT.replace("range(0, n - T,", "range(-T * stride, n,")),
        ("no window begins before", COUNT.replace("range(0,", "range(-T * stride,")),
        ("beyond the row", COUNT.replace("n - T,", "n,")),
        ("yes and no", COUNT.replace("sum(", "any(")),
        ("the last ends with the row", "T // stride"),
        ("times_asked(0, 10, 4, 4): gives 4, expected 0", "T"),
        ("expected", COUNT.replace("start + 1 <= i", "start <= i")),
        ("expected", COUNT.replace("<= start + T", "< start + T")),
        ("stops with ZeroDivisionError", "n // (i - i)"),
        ("returns nothing", COUNT.replace("return ", "total = ") + "\nreturn None"),
    ],
)  # fmt: skip
PAD = "width = max(map(len, rows))\nreturn torch.tensor([r + [pad_id] * (width - len(r)) for r in rows])"
padding = Exercise(
    "2.3",
    "def pad(rows, pad_id):",
    right=[
        PAD,
        "made = torch.full((len(rows), max(map(len, rows))), pad_id)\nfor i, row in enumerate(rows):\n"
        "    made[i, : len(row)] = torch.tensor(row, dtype=torch.long)\nreturn made",
        "from itertools import zip_longest\n"
        "return torch.tensor([*zip_longest(*rows, fillvalue=pad_id)]).T",
        "rows = [torch.tensor(row, dtype=torch.int32) for row in rows]\n"
        "return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad_id)",
    ],
    wrong=[
        ("pad at the right", PAD.replace("r + [pad_id] * (width - len(r))", "[pad_id] * (width - len(r)) + r")),
        ("no wider", PAD.replace("rows))\n", "rows)) + 1\n")),
        ("as wide as the longest", PAD.replace("max", "min").replace("r + [", "r[:width] + [")),
        ("not with 0", PAD.replace("[pad_id]", "[0]")),
        ("not with the last id", PAD.replace("[pad_id]", "(r or [pad_id])[-1:]")),
        ("changes what it was given", "width = max(map(len, rows))\nfor r in rows:\n"
         "    r += [pad_id] * (width - len(r))\nreturn torch.tensor(rows)"),
        ("expected a tensor", PAD.replace("torch.tensor(", "list(")),
        ("ids are integers", PAD.replace("rows])", "rows], dtype=torch.float)")),
        ("the order of the rows", PAD.replace("for r in rows]", "for r in rows[::-1]]")),
        ("in order", PAD.replace("for r in rows]", "for r in sorted(rows, key=len)]")),
        ("one row for each list", PAD + ".T"),
        ("pad([[1, 2, 3], [], [4]], 9)", PAD.replace("rows])", "rows if r])")),
        ("as wide as the longest list, no wider", PAD.replace("max(map(len, rows))", "4")),
        ("stops with ValueError", "torch.tensor(rows)"),
        ("not with 9", PAD.replace("[pad_id]", "[9]")),
        ("changes what it was given", PAD.replace("width =", "rows.sort()\nwidth =")),
    ],
)  # fmt: skip
HAND = "b = s * 10000 ** (-torch.arange(0, d, 2) / d)\n"
TURN = (
    HAND
    + "return torch.block_diag(*[torch.tensor([[c, -n], [n, c]]) for n, c in zip(b.sin(), b.cos())])"
)
turning = Exercise(
    "2.4",
    "def step_matrix(s, d):",
    right=[
        TURN,
        TURN.replace("arange(0, d, 2)", "arange(0, d, 2, dtype=torch.double)"),
        HAND + "R = torch.zeros(d, d)\nk = torch.arange(0, d, 2)\nR[k, k] = R[k + 1, k + 1] = b.cos()\n"
        "R[k, k + 1], R[k + 1, k] = -b.sin(), b.sin()\nreturn R",
        TURN.replace("return ", "return (") + ").tolist()",
    ],
    wrong=[
        ("turns back", TURN.replace("[c, -n], [n, c]", "[c, n], [-n, c]")),
        ("whatever s is", TURN.replace("b = s *", "b =")),
        ("does not move", "torch.eye(d)"),
        ("moves by s + 1", TURN.replace("s *", "(s + 1) *")),
        ("pair of neighbors", HAND + "S, C = b.sin().diag(), b.cos().diag()\n"
         "return torch.cat([torch.cat([C, -S], 1), torch.cat([S, C], 1)])"),
        ("10000 ** (-2 k / d)", TURN.replace("arange(0, d, 2)", "arange(d // 2)")),
        ("at one speed", TURN.replace("(-torch.arange(0, d, 2) / d)", "-torch.zeros(d // 2)")),
        ("the other has not", TURN.replace("-n", "n")),
        ("the shape (8, 2, 2)", HAND + "return torch.stack([torch.tensor([[c, -n], [n, c]]) "
         "for n, c in zip(b.sin(), b.cos())])"),
        ("step_matrix(3, 16)", TURN.replace("10000", "1000")),
        ("step_matrix(1, 6)", HAND.replace("/ d", "/ 16") + TURN[len(HAND):]),
        ("step_matrix(3, 16)", "p = sinusoids(90, d)\nreturn torch.linalg.lstsq(p[: 90 - s], p[s:]).solution"),
        ("expected", "torch.zeros(d, d)"),
    ],
)  # fmt: skip

TestAnswers = proof("2", by_hand, asked, padding, turning)
