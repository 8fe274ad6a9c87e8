"""Answers to the exercises of chapter 6."""

from tests.answers.proof import Exercise, proof

by_hand = Exercise(
    "6.1",
    "answer_6_1 =",
    right=["[185 / 200, 15 / 25, 15 / 20]", "(0.925, 0.6, 0.75)", "torch.tensor([0.925, 0.6, 0.75])",
           "[0.925, 3 / 5, 3 / 4]"],
    wrong=[
        ("is not what is wrong", "[0.075, 0.6, 0.75]"),
        ("is not all that is right", "[0.85, 0.6, 0.75]"),
        ("some spam was missed", "[0.95, 0.6, 0.75]"),
        ("wrongly are not right", "[0.975, 0.6, 0.75]"),
        ("never saying spam", "[0.9, 0.6, 0.75]"),
        ("the accuracy: which", "[0.5, 0.6, 0.75]"),
        ("changed places", "[0.925, 0.75, 0.6]"),
        ("not of all messages", "[0.925, 0.075, 0.75]"),
        ("how many are", "[0.925, 0.8, 0.75]"),
        ("what is not spam", "[0.925, 0.4, 0.75]"),
        ("what was missed", "[0.925, 0.6, 0.25]"),
        ("the share of spam", "[0.925, 0.6, 0.1]"),
        ("not a percentage", "[92.5, 60, 75]"),
        ("not a number of messages", "[185, 15, 15]"),
        ("three shares", "[0.925, 0.6]"),
        ("the recall: how much", "[0.925, 0.6, 0.7]"),
        ("of all messages, not only of the ham", "[170 / 180, 0.6, 0.75]"),
    ],
    secrets=[r"\.925", r"0\.6\b", r"\.75", r"\b185\b"],
)  # fmt: skip
MEAN = """real = (ids != PAD)[..., None]
return (x * real).sum(dim=1) / real.sum(dim=1)"""
mean = Exercise(
    "6.2",
    "def mean_real(x, ids):",
    right=[
        MEAN,
        "torch.stack([row[one != -1].mean(dim=0) for row, one in zip(x, ids)])",
        "x.masked_fill((ids == PAD)[..., None], float('nan')).nanmean(dim=1)",
        "w = (ids != PAD).float()\nw = w / w.sum(1, keepdim=True)\nreturn (w[:, None] @ x).squeeze(1)",
        "return [[sum(v[c].item() for v, i in zip(row, one) if i >= 0) / int((one >= 0).sum())\n"
        "    for c in range(x.shape[2])] for row, one in zip(x, ids)]",
    ],
    wrong=[
        ("not over the padding", "x.mean(dim=1)"),
        ("not by T", MEAN.replace(".sum(dim=1) / real.sum(dim=1)", ".mean(dim=1)")),
        ("divide by the number", MEAN.replace(" / real.sum(dim=1)", "")),
        ("the id 0 is a token", MEAN.replace("!= PAD", "> 0")),
        ("the last token is not", "last = (ids != PAD).int().cumsum(1).argmax(1)\nreturn x[range(len(x)), last]"),
        ("the last place", "x[:, -1]"),
        ("the first place", "x[:, 0]"),
        ("anywhere", "n = (ids != PAD).sum(1)\nreturn torch.stack([row[:k].sum(0) / k for row, k in zip(x, n)])"),
        ("of its own row", MEAN.replace("real.sum(dim=1)", "real.sum()")),
        ("changes what it was given", "x[ids == PAD] = 0\n" + MEAN),
        ("mean of the padding", MEAN.replace("!=", "==")),
        ("the shape (4, 5)", MEAN.replace("real.sum(dim=1)", "1").replace("dim=1", "dim=2")),
        ("not the largest", "x.masked_fill((ids == PAD)[..., None], -1e9).amax(1)"),
        ("the shape", "real = (ids != PAD)[..., None]\nreturn ((x * real).sum(1) / real.sum(1))[:, :2]"),
        ("stops with", MEAN.replace("[..., None]", "")),
        ("not n + 1", MEAN.replace("/ real.sum(dim=1)", "/ (real.sum(dim=1) + 1)")),
        ("weighed by the ids", MEAN.replace("x * real", "x * real * ids[..., None]")),
    ],
)  # fmt: skip
SIZE = "16 * rank * config.d_model * config.n_layers"
size = Exercise(
    "6.3",
    "def lora_parameters(config, rank):",
    right=[
        SIZE,
        "C = config.d_model\nshapes = [(C, 3 * C), (C, C), (C, 4 * C), (4 * C, C)]\n"
        "return sum(rank * (i + o) for i, o in shapes) * config.n_layers",
        'layers = add_lora(GPT(config), rank, 1, ("c_attn", "c_proj", "c_fc"))\n'
        "return torch.tensor(sum(x.A.numel() + x.B.numel() for x in layers))",
        "return 16.0 * rank * config.d_model * config.n_layers",
    ],
    wrong=[
        ("more than one block", SIZE.replace(" * config.n_layers", "")),
        ("of rank r", SIZE.replace(" * rank", "")),
        ("not r squared", SIZE.replace("rank", "rank * rank")),
        ("A without B", SIZE.replace("16", "7")),
        ("B without A", SIZE.replace("16", "9")),
        ("matrices themselves", "12 * config.d_model**2 * config.n_layers"),
        ("not r I O", "12 * rank * config.d_model**2 * config.n_layers"),
        ("heads are no blocks", SIZE.replace("n_layers", "n_heads")),
        ("not the context", SIZE.replace("d_model", "context_length")),
        ("not the vocabulary", SIZE.replace("d_model", "vocab_size")),
        ("four matrices of C by C", SIZE.replace("16", "8")),
        ("attention alone", SIZE.replace("16", "6")),
        ("feed-forward network alone", SIZE.replace("16", "10")),
        ("is missing", SIZE.replace("16", "12")),
        ("not three", SIZE.replace("16", "18")),
        ("twice too many", SIZE.replace("16", "32")),
        ("classifier's head", SIZE + " + 2 * (config.d_model + 1)"),
        ("expected", SIZE.replace("16", "15")),
        ("no biases", SIZE + " + 9 * config.d_model * config.n_layers"),
    ],
)  # fmt: skip
LOWEST = """for threshold in sorted(set(probs)):
    called = [y for p, y in zip(probs, labels) if p >= threshold]
    if sum(called) / len(called) >= precision:
        return threshold
return None"""
threshold = Exercise(
    "6.4",
    "def lowest_threshold(probs, labels, precision):",
    right=[
        LOWEST,
        "p, y = torch.tensor(probs), torch.tensor(labels).double()\n"
        "good = [t for t in p if y[p >= t].mean() >= precision]\nreturn min(good) if good else None",
        "best = None\nfor t in sorted(probs, reverse=True):\n    hits = [y for p, y in zip(probs, labels) if p >= t]\n"
        "    if sum(hits) >= precision * len(hits):\n        best = t\nreturn best",
    ],
    wrong=[
        ("at the threshold itself", LOWEST.replace("p >= threshold", "p > threshold").replace("len(called)", "max(1, len(called))")),
        ("exactly what is asked", LOWEST.replace(">= precision", "> precision")),
        ("not the highest", LOWEST.replace("sorted(set(probs))", "sorted(set(probs), reverse=True)")),
        ("above the threshold", LOWEST.replace("p >= threshold", "p <= threshold")),
        ("recall", LOWEST.replace("len(called)", "max(1, sum(labels))")),
        ("accuracy", LOWEST.replace("[y for p, y in zip(probs, labels) if p >= threshold]", "[(p >= threshold) == y for p, y in zip(probs, labels)]")),
        ("fall, and rise again", "best = None\nfor t in sorted(set(probs), reverse=True):\n"
         "    hits = [y for p, y in zip(probs, labels) if p >= t]\n    if sum(hits) < precision * len(hits):\n        break\n    best = t\nreturn best"),
        ("without their labels", LOWEST.replace("for threshold", "probs = sorted(probs)\nfor threshold")),
        ("without their probabilities", LOWEST.replace("for threshold", "labels = sorted(labels)\nfor threshold")),
        ("in no order", LOWEST.replace("sorted(set(probs))", "probs")),
        ("called spam together", "pairs = sorted(zip(probs, labels))\nfor i in range(len(pairs)):\n    rest = [y for _, y in pairs[i:]]\n"
         "    if sum(rest) / len(rest) >= precision:\n        return pairs[i][0]\nreturn None"),
        ("precision that is asked", "precision"),
        ("changes what it was given", LOWEST.replace("for threshold", "probs.sort()\nfor threshold")),
        ("no threshold will do", LOWEST.replace("return None", "return max(probs)")),
        ("no threshold will do", LOWEST.replace("return None", "return 1.0")),
        ("expected 0.7", "x = 0\nreturn None"),
        ("it returns 0.1", LOWEST.replace("return threshold", "return min(probs)")),
        ("always the smallest", "min(probs)"),
        ("expected", "0.5"),
    ],
)  # fmt: skip

TestAnswers = proof("6", by_hand, mean, size, threshold)
