"""Answers to the exercises of chapter 9."""

from tests.answers.proof import Exercise, proof

by_hand = Exercise(
    "9.1",
    "answer_9_1 =",
    right=[
        "[2000 / 14, 524288, 125.9]",
        "(143, 2 * 2 * 32 * 4096, 126)",
        "torch.tensor([142.9, 524288.0, 125.9])",
    ],
    wrong=[
        ("a weight has two bytes", "[286, 524288, 126]"),
        ("the time of a token", "[0.007, 524288, 126]"),
        ("keys and also values", "[143, 262144, 126]"),
        ("in each layer", "[143, 16384, 126]"),
        ("keys, values and two bytes", "[143, 131072, 126]"),
        ("nothing is kept of the queries", "[143, 786432, 126]"),
        ("in thousands", "[143, 524288, 125900]"),
        ("this room already", "[143, 524288, 99.2]"),
        ("three numbers", "[143, 524288]"),
        ("how many bytes is it", "[150, 524288, 126]"),
    ],
)
ACCEPTED = """n = 0
while n < len(guessed) and guessed[n] == wanted[n]:
    n += 1
return wanted[: n + 1]"""
guess = Exercise(
    "9.2",
    "def accepted(guessed, wanted):",
    right=[
        ACCEPTED,
        "kept = []\nfor i, w in enumerate(wanted):\n    kept.append(w)\n"
        "    if i == len(guessed) or guessed[i] != w:\n        return kept",
        "n = next((i for i, (g, w) in enumerate(zip(guessed, wanted)) if g != w), len(guessed))\n"
        "return torch.tensor(wanted[: n + 1])",
    ],
    wrong=[
        ("token follows", ACCEPTED.replace("n + 1]", "n]")),
        ("a guess that was wrong", ACCEPTED.replace("wanted[: n", "guessed[: n")),
        ("behind a wrong guess", "wanted"),
        ("a guess that was wrong", "guessed"),
        ("behind a wrong guess", ACCEPTED.replace("n + 1]", "n + 2]")),
        ("nothing is kept", "[]"),
        ("expected", "wanted[:1]"),
        ("stops with", ACCEPTED.replace("n < len(guessed) and ", "")),
        ("changes what it was given", "guessed.clear()\nreturn wanted"),
        ("expected", ACCEPTED.replace("return", "return [*guessed[:n], *wanted[-1:]] or")),
        ("expected", "[w for g, w in zip(guessed, wanted) if g == w] + wanted[-1:]"),
    ],
)
BETWEEN = """low, high = x.min(), x.max()
step = (high - low) / (2**bits - 1)
if step == 0:
    step = torch.ones(())
return ((x - low) / step).round(), low, step"""
between = Exercise(
    "9.3",
    "def quantize_between(x, bits):",
    right=[
        BETWEEN,
        BETWEEN.replace(".round()", ".add(0.5).floor().to(torch.uint8)"),
        "low = float(x.min())\nstep = (float(x.max()) - low) / (2**bits - 1) or 1.0\n"
        "return [round((v - low) / step) for v in x.tolist()], low, step",
    ],
    wrong=[
        ("nearest step", BETWEEN.replace("round", "floor")),
        ("not whole", BETWEEN.replace(".round()", "")),
        ("equal", BETWEEN.replace("    step = torch.ones(())", "    pass")),
        ("the largest is", BETWEEN.replace("2**bits - 1", "2**bits")),
        ("the largest is", BETWEEN.replace("2**bits - 1", "2**(bits - 1) - 1")),
        ("the smallest is", BETWEEN.replace(".round()", ".round() + 1")),
        ("far from x", BETWEEN.replace("low, step", "low + 1, step")),
        ("three things", BETWEEN.replace(", low, step", ", step")),
        ("changes what it was given", "x -= 1\n" + BETWEEN),
        ("the shape is", BETWEEN.replace("((x - low)", "((x[1:] - low)")),
        ("the smallest is", BETWEEN.replace("x.min(), x.max()", "-x.abs().max(), x.abs().max()")),
    ],
)
FUSE = """points = {}
for some in lists:
    for place, text in enumerate(some, start=1):
        points[text] = points.get(text, 0) + 1 / (60 + place)
return sorted(points, key=lambda text: (-round(points[text], 12), text))"""
fused = Exercise(
    "9.4",
    "def fuse(lists):",
    right=[
        FUSE,
        "every = sorted({t for some in lists for t in some})\n"
        "return sorted(every, key=lambda t: -round(sum(1 / (61 + s.index(t)) for s in lists if t in s), 12))",
        FUSE.replace("return sorted(", "return torch.tensor(sorted(") + ")",
    ],
    wrong=[
        ("best first", FUSE.replace("-round", "round")),
        ("each text once", "[t for some in lists for t in some]"),
        ("each text", "lists[0] if lists else []"),
        ("best first", FUSE.replace(", text))", ", -text))")),
        ("expected", FUSE.replace("(60 + place)", "place")),
        ("expected", FUSE.replace("points.get(text, 0) + 1", "points.get(text, 0) * 0 + 1")),
        ("expected", "sorted({t for some in lists for t in some})"),
        ("expected", FUSE.replace("1 / (60 + place)", "1")),
        ("changes what it was given", FUSE + "[:lists.clear() or 99]"),
        ("expected", FUSE.replace("(-round(points[text], 12), text)", "0")),
        ("stops with", FUSE.replace("lists:", "lists[0]:")),
    ],
)  # fmt: skip
TestAnswers = proof("9", by_hand, guess, between, fused)
