"""Answers to the exercises of chapter 3."""

from tests.answers.proof import Exercise, proof

by_hand = Exercise(
    "3.1",
    "answer_3_1 =",
    right=["[10.0, 28.0]", "(10, 28)", "torch.tensor([[10.0], [28.0]])", "[10, 27.99]",
           "[[10], [10 * 0.1 + 30 * 0.9]]"],
    wrong=[
        ("may not attend to a later one", "[25, 28]"),
        ("its own query", "[10, 25]"),
        ("really equal", "[10, 20]"),
        ("leaves something to the smaller", "[10, 30]"),
        ("the value of token 1", "[10, 10]"),
        ("belongs to the larger score", "[10, 12]"),
        ("divide by the sum", "[10, 280]"),
        ("this is an attention weight", "[10, 0.9]"),
        ("this is an attention weight", "[1, 28]"),
        ("one of the attention weights", "[10, 0.1]"),
        ("one term of two", "[10, 27]"),
        ("one of the two terms", "[10, 1]"),
        ("the first token's first", "[28, 10]"),
        ("powers of e", "[10, 26.42]"),
        ("without weights", "[10, 40]"),
        ("two vectors", "[10]"),
        ("two vectors", "[10, 28, 30]"),
        ("to which tokens", "[7, 28]"),
        ("then the mean", "[10, 29]"),
        ("can't be read", '["ten", "more"]'),
    ],
    secrets=[r"\b28\b", r"\b27\b"],
)  # fmt: skip
query = Exercise(
    "3.2",
    "my_W_q =",
    right=[
        "torch.tensor([[-3.0, -3.0], [0.0, 2.0], [5.0, 3.0], [0.0, 0.0]])",
        "[[-3, -3], [0, 2], [5, 3], [0, 0]]",
        "10 * torch.tensor([[-3.0, -3.0], [0.0, 2.0], [5.0, 3.0], [0.0, 0.0]])",
        "torch.tensor([[-4.0, -4], [0, 4], [8, 4], [0, 0]], requires_grad=True)",
    ],
    wrong=[
        ("the query of met is [0.0, 0.0]", "torch.tensor([[0.0, 0], [0, 2], [2, 0], [0, 0]])"),
        ("most has", "torch.tensor([[3.0, 3], [0, 2], [2, 0], [0, 0]])"),
        ("weight of", "-torch.tensor([[0.0, 0], [0, 2], [2, 0], [0, 0]])"),
        ("met", "torch.ones(4, 2)"),
        ("the query of she", "torch.tensor([[-3.0, -3], [0, 2], [2, 0], [0, 0]])"),
        ("he", "torch.tensor([[-3.0, -3], [0, 0], [5, 3], [0, 0]])"),
        ("the shape (2, 4)", "torch.tensor([[-3.0, -3], [0, 2], [5, 3], [0, 0]]).T"),
        ("the shape (2,)", "[3, 3]"),
        ("not finite", "torch.full((4, 2), float('nan'))"),
        ("met is [0.3, 0.3]", "torch.tensor([[-0.3, -0.3], [0, 2], [5, 3], [0, 0]])"),
        ("the query of she", "torch.tensor([[-3.0, -3], [0, -2], [5, 3], [0, 0]])"),
    ],
)  # fmt: skip
GROUP = """n = q.shape[1] // k.shape[1]
k, v = (x.repeat_interleave(n, dim=1) for x in (k, v))
return causal_weights(q, k) @ v"""
PLAIN = GROUP.replace(
    "return causal_weights(q, k) @ v",
    "T, D = q.shape[-2:]\nscores = q @ k.mT / D**0.5\n"
    "future = torch.ones(T, T, dtype=torch.bool).triu(1)\n"
    "return scores.masked_fill(future, -torch.inf).softmax(dim=-1) @ v",
)
grouped = Exercise(
    "3.3",
    "def grouped_attention(q, k, v):",
    right=[
        GROUP,
        PLAIN,
        "F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)",
        "n = q.shape[1] // k.shape[1]\nheads = [causal_weights(q[:, h], k[:, h // n]) @ v[:, h // n]\n"
        "    for h in range(q.shape[1])]\nreturn torch.stack(heads, dim=1)",
        "B, H, T, D = q.shape\nG = k.shape[1]\nq = q.view(B, G, H // G, T, D)\n"
        "return (causal_weights(q, k[:, :, None]) @ v[:, :, None]).reshape(B, H, T, D)",
    ],
    wrong=[
        ("the groups are mixed", GROUP.replace("repeat_interleave(n, dim=1)", "repeat(1, n, 1, 1)")),
        ("other groups than the keys", GROUP.replace("k, v = (x.repeat_interleave(n, dim=1) for x in (k, v))",
         "k, v = k.repeat_interleave(n, dim=1), v.repeat(1, n, 1, 1)")),
        ("attend to later ones", PLAIN.replace(".masked_fill(future, -torch.inf)", "")),
        ("root of D is missing", PLAIN.replace(" / D**0.5", "")),
        ("not by D", PLAIN.replace("D**0.5", "D")),
        ("not T", PLAIN.replace("D**0.5", "T**0.5")),
        ("the width of a head", PLAIN.replace("D**0.5", "(q.shape[1] * D) ** 0.5")),
        ("has its own keys", "causal_weights(q, k[:, :1]) @ v[:, :1]"),
        ("not to be averaged", "causal_weights(q, k.mean(1, True)) @ v.mean(1, True)"),
        ("changed places", GROUP.replace("(q, k) @ v", "(q, v) @ k")),
        ("attends to itself", PLAIN.replace("triu(1)", "triu(0)").replace("-torch.inf", "-1e9")),
        ("rows don't sum to 1", PLAIN.replace(".masked_fill(future, -torch.inf).softmax(dim=-1)",
         ".softmax(dim=-1).masked_fill(future, 0)")),
        ("over the keys", PLAIN.replace("softmax(dim=-1)", "softmax(dim=-2)").replace("-torch.inf", "-1e9")),
        ("expected (2, 6, 5, 4)", GROUP.replace("causal", "(causal") + ").transpose(1, 2)"),
        ("expected (2, 6, 5, 4)", GROUP.replace("causal", "(causal") + ").mean(1)"),
        ("stops with RuntimeError", "causal_weights(q, k) @ v"),
        ("changes what it was given", GROUP.replace("n =", "q *= 1.5\nn =")),
        ("with q", PLAIN.replace("triu(1)", "tril(-1)")),
    ],
)  # fmt: skip
LAST = "return (k @ q_last / len(q_last) ** 0.5).softmax(dim=0) @ v"
last = Exercise(
    "3.4",
    "def attend_last(q_last, k, v):",
    right=[
        LAST,
        "F.scaled_dot_product_attention(q_last[None], k, v)",
        "scores = [(q_last @ one).item() / q_last.numel() ** 0.5 for one in k]\n"
        "return sum(w * x for w, x in zip(torch.tensor(scores).softmax(0), v))",
        "powers = (k @ q_last / q_last.shape[0] ** 0.5).exp()\nreturn (powers @ v / powers.sum()).tolist()",
    ],
    wrong=[
        ("root of D is missing", LAST.replace(" / len(q_last) ** 0.5", "")),
        ("not by D", LAST.replace(" ** 0.5", "")),
        ("not T", LAST.replace("len(q_last)", "len(k)")),
        ("multiplied", LAST.replace("/", "*")),
        ("attends to itself", LAST.replace("(k @", "(k[:-1] @").replace("@ v", "@ v[:-1]")),
        ("tokens before it", "v[-1]"),
        ("first token's", "v[0]"),
        ("does not weigh", "v.mean(0)"),
        ("softmax is missing", LAST.replace(".softmax(dim=0)", "")),
        ("add up to 1", LAST.replace("softmax(dim=0)", "exp()")),
        ("v, not k", LAST.replace("@ v", "@ k")),
        ("keys are k", LAST.replace("(k @", "(v @")),
        ("these are the attention weights", LAST.replace(" @ v", "")),
        ("add up the weighed", LAST.replace(" @ v", "[:, None] * v")),
        ("changes what it was given", "k /= len(q_last) ** 0.5\nreturn (k @ q_last).softmax(0) @ v"),
        ("minus", LAST.replace("(k @", "(-k @")),
    ],
)  # fmt: skip

TestAnswers = proof("3", by_hand, query, grouped, last)
