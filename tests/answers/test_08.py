"""Answers to the exercises of chapter 8."""

from tests.answers.proof import Exercise, proof

by_hand = Exercise(
    "8.1",
    "answer_8_1 =",
    right=[
        "[0.73, 0.88, 0.95]",
        "(0.7311, 0.8808, 0.9526)",
        "torch.sigmoid(torch.tensor([1.0, 2, 3]))",
    ],
    wrong=[
        ("the other one", "[0.27, 0.12, 0.05]"),
        ("three probabilities", "[0.73, 0.88]"),
        ("share of the points", "[1, 0.75, 1]"),
        ("which pairs", "[0.73, 0.95, 0.88]"),
        ("not these three", "[73, 88, 95]"),
        ("not these three", "[0.5, 0.88, 0.95]"),
        ("not these three", "[0.7, 0.9, 0.95]"),
        ("not numbers", "['a', 'b', 'c']"),
        ("not these three", "[0.62, 0.73, 0.82]"),
    ],
    secrets=[r"\.73", r"\.88", r"\.95"],
)  # fmt: skip
MAJORITY = "p = prefers_first(lead, 0)\nreturn p**3 + 3 * p**2 * (1 - p)"
majority = Exercise(
    "8.2",
    "def majority_of_three(lead):",
    right=[
        MAJORITY,
        "p = prefers_first(lead, 0)\nreturn torch.tensor(3 * p * p - 2 * p**3).double()",
        "p = 1 / (1 + math.exp(-lead))\nreturn sum(math.comb(3, k) * p**k * (1 - p) ** (3 - k) for k in (2, 3))",
    ],
    wrong=[
        ("three votes for the first are not needed", "prefers_first(lead, 0) ** 3"),
        ("one vote is not enough", "1 - prefers_first(0, lead) ** 3"),
        ("three are a majority too", "p = prefers_first(lead, 0)\nreturn 3 * p**2 * (1 - p)"),
        ("in three orders", "p = prefers_first(lead, 0)\nreturn p**3 + p**2 * (1 - p)"),
        ("for the second", "p = prefers_first(0, lead)\nreturn p**3 + 3 * p**2 * (1 - p)"),
        ("not added", "prefers_first(3 * lead, 0)"),
        ("a single vote", "prefers_first(lead, 0)"),
        ("expected", "0.5"),
        ("stops with", "prefers_first(lead)"),
        ("returns nothing", "x = prefers_first(lead, 0)\nif x > 2:\n    return x"),
    ],
)  # fmt: skip
OTHERS = "n = rewards.shape[1]\nreturn rewards - (rewards.sum(1, keepdim=True) - rewards) / (n - 1)"
others = Exercise(
    "8.3",
    "def leave_one_out(rewards):",
    right=[
        OTHERS,
        "n = rewards.shape[1]\nreturn n / (n - 1) * (rewards - rewards.mean(1, keepdim=True))",
        "return [[r - (sum(row) - r) / (len(row) - 1) for r in row] for row in rewards.tolist()]",
    ],
    wrong=[
        ("not of all", "rewards - rewards.mean(1, keepdim=True)"),
        ("number of the others", OTHERS.replace("(n - 1)", "n")),
        ("a mean of its own", "rewards - rewards.mean()"),
        ("not the reverse", "return -(" + OTHERS.partition("return ")[2].replace("n - 1", "rewards.shape[1] - 1") + ")"),
        ("that is the baseline", "return (rewards.sum(1, keepdim=True) - rewards) / (rewards.shape[1] - 1)"),
        ("standard deviation", "group_advantages(rewards)"),
        ("changes what it was given", "rewards -= 1\n" + OTHERS),
        ("expected", OTHERS.replace("sum(1,", "sum(0,")),
        ("gives the shape", OTHERS.replace("return ", "return (") + ")[:, 0]"),
    ],
)  # fmt: skip
SIMPO = "return -F.logsigmoid(beta * (chosen / n_chosen - rejected / n_rejected) - gamma).mean()"
simpo = Exercise(
    "8.4",
    "def simpo_loss(chosen, rejected, n_chosen, n_rejected, beta, gamma):",
    right=[
        SIMPO,
        "x = beta * (chosen / n_chosen - rejected / n_rejected) - gamma\nreturn (1 + (-x).exp()).log().mean()",
        "x = beta * (chosen / n_chosen - rejected / n_rejected) - gamma\nreturn F.softplus(-x).mean().item()",
    ],
    wrong=[
        ("not the sum", SIMPO.replace("mean", "sum")),
        ("one number for all pairs", SIMPO.replace(".mean()", "")),
        ("numbers of tokens", SIMPO.replace(" / n_chosen", "").replace(" / n_rejected", "")),
        ("changed places", "return -F.logsigmoid(beta * (rejected / n_rejected - chosen / n_chosen) - gamma).mean()"),
        ("minus the logarithm", SIMPO.replace("-F", "F")),
        ("without the logarithm", SIMPO.replace("-F.log", "torch.")),
        ("makes it harder", SIMPO.replace("- gamma", "+ gamma")),
        ("where is the margin", SIMPO.replace(" - gamma", "")),
        ("expected", SIMPO.replace("beta * ", "")),
        ("returns nothing", SIMPO.replace("return", "x =") + "\nif x < -9:\n    return x"),
    ],
)  # fmt: skip

TestAnswers = proof("8", by_hand, majority, others, simpo)
