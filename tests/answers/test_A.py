"""Answers to the exercises of appendix A."""

from tests.answers.proof import Exercise, proof

by_hand = Exercise(
    "A.1",
    "answer_A_1 =",
    right=["(4, 5, 3)", "[4, 5, 3]", "torch.Size([4, 5, 3])", "torch.tensor([4, 5, 3])", '"(4, 5, 3)"'],
    wrong=[
        ("a size of 1 is repeated", "(4, 1, 3)"),
        ("has a size more", "(5, 3)"),
        ("one behind the other", "(4, 1, 3, 5, 3)"),
        ("not added", "(4, 6, 6)"),
        ("not added", "(5, 6, 6)"),
        ("not at the left", "(5, 3, 3)"),
        ("the order of the sizes", "(3, 5, 4)"),
        ("the order of the sizes", "(5, 4, 3)"),
        ("not a shape", "(60,)"),
        ("nothing is multiplied", "(4, 5, 9)"),
        ("as many as the longer", "(4, 3)"),
        ("as many as the longer", "(4, 1, 5, 3)"),
        ("the first size", "(1, 5, 3)"),
        ("the last size", "(4, 5, 1)"),
        ("the second size", "(4, 3, 3)"),
        ("can't be read", '"four"'),
    ],
    secrets=[r"4, 5, 3"],
)  # fmt: skip
PAIRS = "return (points[:, None] - points[None, :]).square().sum(dim=-1).sqrt()"
distances = Exercise(
    "A.2",
    "def distances(points):",
    right=[
        PAIRS,
        "(points[:, None] - points).norm(dim=-1)",
        "x, y = points.T\nreturn ((x - x[:, None]) ** 2 + (y - y[:, None]) ** 2) ** 0.5",
        "torch.hypot(*(points.T[:, :, None] - points.T[:, None]))",
    ],
    wrong=[
        ("take the root", PAIRS.replace(".sqrt()", "")),
        ("without squares", PAIRS.replace(".square()", ".abs()").replace(".sqrt()", "")),
        ("larger of the two", "(points[:, None] - points).abs().amax(-1)"),
        ("not of their squares", PAIRS.replace(".square()", "").replace(".sqrt()", "")),
        ("root of the mean", PAIRS.replace(".sum(", ".mean(")),
        ("a distance is one number", "points[:, None] - points"),
        ("products", "points @ points.T"),
        ("a sum of the points", PAIRS.replace(" - ", " + ")),
        ("half of the pairs", PAIRS + ".triu()"),
        ("not neighbors", "(points[1:] - points[:-1]).norm(dim=-1)"),
        ("not from zero", "points.norm(dim=-1)"),
        ("from the first point", "(points - points[0]).norm(dim=-1)"),
        ("there is a loop", "torch.tensor([[(p - q).norm() for q in points] for p in points])"),
        ("there is a loop", "out = torch.zeros(len(points), len(points))\ni = 0\nwhile i < len(points):\n"
         "    out[i] = (points - points[i]).norm(dim=-1)\n    i += 1\nreturn out"),
        ("write it yourself", "torch.cdist(points, points)"),
        ("changes what it was given", "points -= points.mean(0)\n" + PAIRS),
        ("the order", PAIRS + ".flip(0)"),
    ],
)  # fmt: skip
DOWN = """x = torch.zeros(2, requires_grad=True)
for _ in range(steps):
    a, b = x
    ((a - 3) ** 2 + (b + 1) ** 2 + a * b).backward()
    with torch.no_grad():
        x -= lr * x.grad
    x.grad = None
return x.tolist()"""
downhill = Exercise(
    "A.3",
    "def minimum(steps=200, lr=0.1):",
    right=[
        DOWN,
        DOWN.replace("x.tolist()", "x").replace("x.grad = None", "x.grad.zero_()"),
        "a, b = torch.tensor(5.0, requires_grad=True), torch.tensor(-9.0, requires_grad=True)\n"
        "for _ in range(steps):\n    ((a - 3) ** 2 + (b + 1) ** 2 + a * b).backward()\n    with torch.no_grad():\n"
        "        for p in (a, b):\n            p -= lr * p.grad\n            p.grad = None\nreturn a.item(), b.item()",
        "a, b = 0.0, 0.0\nfor _ in range(steps):\n    x = torch.tensor([a, b], requires_grad=True)\n"
        "    ((x[0] - 3) ** 2 + (x[1] + 1) ** 2 + x.prod()).backward()\n"
        "    a, b = (x - lr * x.grad).tolist()\nreturn a, b",
    ],
    wrong=[
        ("clear the gradient", DOWN.replace("    x.grad = None\n", "")),
        ("it runs away", DOWN.replace("x -= lr", "x += lr")),
        ("the term ab is missing", DOWN.replace(" + a * b)", ")")),
        ("has another sign", DOWN.replace(" + a * b)", " - a * b)")),
        ("changed places", DOWN.replace("x.tolist()", "x.tolist()[::-1]")),
        ("has not moved", DOWN.replace("x -= lr * x.grad", "pass")),
        ("after a single step", "return 14 / 3, -10 / 3"),
        ("of your own", "x = torch.zeros(2, requires_grad=True)\nopt = torch.optim.SGD([x], lr=lr)\nfor _ in range(steps):\n"
         "    opt.zero_grad()\n    a, b = x\n    ((a - 3) ** 2 + (b + 1) ** 2 + a * b).backward()\n    opt.step()\nreturn x.tolist()"),
        ("let backward find", "a, b = 0.0, 0.0\nfor _ in range(steps):\n    a, b = a - lr * (2 * (a - 3) + b), b - lr * (2 * (b + 1) + a)\nreturn a, b"),
        ("number of steps", DOWN.replace("range(steps)", "range(200 if steps > 1 else 3)").replace("200 if steps > 1 else 3", "200 if steps > 3 else 3")),
        ("rate lr", DOWN.replace("lr * x", "0.1 * x")),
        ("no minimum", DOWN.replace("range(steps)", "range(min(steps, 5))")),
        ("the gradient is", DOWN.replace("(a - 3)", "(a - 2)")),
        ("expected a and b", "return [4.667]"),
        ("a single step, 200", DOWN.replace("range(steps)", "range(1)")),
        ("stops with RuntimeError", DOWN.replace("    with torch.no_grad():\n        x -=", "    x -=")),
        ("the gradient is", DOWN.replace("x.tolist()", "[-v for v in x.tolist()]").replace("a * b)", "a)")),
    ],
)  # fmt: skip

TestAnswers = proof("A", by_hand, distances, downhill)
