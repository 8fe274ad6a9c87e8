"""Answers to the exercises of chapter 4."""

from tests.answers.proof import Exercise, proof

by_hand = Exercise(
    "4.1",
    "answer_4_1 =",
    right=["[[-1.0, 1.0], [-1.0, 1.0]]", "((-1, 1), (-1, 1))", "torch.tensor([[-1, 1], [-1, 1]])",
           "[torch.tensor([-1.0, 1.0]), [-0.99999, 0.99999]]", "[-1, 1, -1, 1]"],
    wrong=[
        ("divide by the standard deviation", "[[-1, 1], [-10, 10]]"),
        ("not by the variance", "[[-1, 1], [-0.1, 0.1]]"),
        ("not n - 1", "[[-0.7071, 0.7071], [-0.7071, 0.7071]]"),
        ("subtract the mean first", "[[1, 3], [1, 3]]"),
        ("then take the squares", "[[0.4472, 1.3416], [0.4472, 1.3416]]"),
        ("not the reverse", "[[1, -1], [1, -1]]"),
        ("not by the mean", "[[-0.5, 0.5], [-0.5, 0.5]]"),
        ("not by the largest", "[[-0.3333, 0.3333], [-0.3333, 0.3333]]"),
        ("softmax", "[[0.1192, 0.8808], [0, 1]]"),
        ("shares of the sum", "[[0.25, 0.75], [0.25, 0.75]]"),
        ("not the smallest", "[[0, 1], [0, 1]]"),
        ("subtract the mean first", "[[1, 3], [10, 30]]"),
        ("mean and", "[[2, 1], [20, 100]]"),
        ("two vectors", "[[-1, 1]]"),
        ("two vectors", "[[-1, 1], [-10, 0, 10]]"),
        ("the vector [10.0, 30.0]: subtract", "[[-1, 1], [-2, 2]]"),
        ("the vector [10.0, 30.0]", "[[-1, 1], [10, 30]]"),
    ],
    secrets=[r"-1\.?0?\b, 1\b"],
)  # fmt: skip
RMS = "return x / (x.square().mean(dim=-1, keepdim=True) + eps).sqrt() * scale"
rms = Exercise(
    "4.2",
    "def rms_norm(x, scale, eps=1e-5):",
    right=[
        RMS,
        "F.rms_norm(x, x.shape[-1:], scale, eps)",
        "x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps) * scale",
        "return scale * x / (x.pow(2).sum(-1, keepdim=True) / x.shape[-1] + eps) ** 0.5",
    ],
    wrong=[
        ("layer normalization", "F.layer_norm(x, x.shape[-1:], scale, eps=eps)"),
        ("the mean stays", "x = x - x.mean(-1, keepdim=True)\n" + RMS.replace("x.square", "(x + 0).square")),
        ("mean of the squares", RMS.replace(" + eps).sqrt()", ").sqrt() + eps)").replace("/ (", "/ ((")),
        ("the ε is missing", RMS.replace(" + eps", "")),
        ("the ε that is given", RMS.replace("eps)", "1e-5)")),
        ("multiply by the scale", RMS.replace(" * scale", "")),
        ("not their sum", RMS.replace("mean(", "sum(")),
        ("take the root", RMS.replace(".sqrt()", "")),
        ("own mean", RMS.replace("mean(dim=-1, keepdim=True)", "mean()")),
        ("last axis", RMS.replace("mean(dim=-1, keepdim=True)", "mean(0)")),
        ("not absolute values", RMS.replace("square", "abs").replace(".sqrt()", "")),
        ("changes what it was given", "x /= (x.square().mean(-1, keepdim=True) + eps).sqrt()\nreturn x * scale"),
        ("1 + scale", RMS.replace("scale", "(1 + scale)")),
        ("n - 1", "n = x.shape[-1]\nreturn x / (x.square().sum(-1, keepdim=True) / (n - 1) + eps).sqrt() * scale"),
        ("do not multiply", RMS.replace("x / (", "x * (")),
        ("stops with RuntimeError", RMS.replace(", keepdim=True", "")),
        ("no ε given", "def rms_norm(x, scale, eps=1e-2):\n    " + RMS),
        ("don't divide", RMS.replace("* scale", "/ scale")),
    ],
)  # fmt: skip
budget = Exercise(
    "4.3",
    "config_4_3 =",
    right=[
        "GPTConfig(2048, 256, d_model=96, n_heads=4, n_layers=8)",
        "GPTConfig(2048, 256, d_model=92, n_heads=2, n_layers=10)",
        "replace(TALES, d_model=96, n_layers=8, n_heads=3)",
        "GPTConfig(2048, 256, 64, 8, 18)",
    ],
    wrong=[
        ("expected 8 or more", "TALES"),
        ("too many", "replace(TALES, n_layers=8)"),
        ("too few", "replace(TALES, n_layers=8, d_model=64)"),
        ("not tied", "replace(TALES, d_model=96, n_layers=8, tied_embeddings=False)"),
        ("expected 256", "GPTConfig(2048, 128, 96, 4, 8)"),
        ("expected 2,048", "GPTConfig(1024, 256, 96, 4, 8)"),
        ("expected 8 or more", "GPTConfig(2048, 256, 96, 8, 4)"),
        ("expected 2,048", "GPTConfig(256, 2048, 96, 4, 8)"),
        ("no GPTConfig", "(2048, 256, 96, 4, 8)"),
        ("too many", "GPTConfig(2048, 256, 96, 4, 80)"),
        ("too few", "replace(TALES, n_layers=8, d_model=8)"),
    ],
)
COST = "C, L = config.d_model, config.n_layers\nreturn L * 12 * C * C + config.vocab_size * C"
cost = Exercise(
    "4.4",
    "def multiplications_per_token(config):",
    right=[
        COST,
        "sum(m.weight.numel() for m in GPT(config).modules() if isinstance(m, nn.Linear))",
        "return float((12 * config.n_layers * config.d_model + config.vocab_size) * config.d_model)",
        "C = config.d_model\nhead = C * config.vocab_size\n"
        "return config.n_layers * (C * 3 * C + C * C + C * 4 * C + 4 * C * C) + head",
    ],
    wrong=[
        ("the head at the end", COST.replace(" + config.vocab_size * C", "")),
        ("the head counts once", COST.replace(" + ", " + 2 * ")),
        ("blocks are missing", COST.replace("L * 12 * C * C + ", "")),
        ("more than one block", COST.replace("L * 12", "12")),
        ("heads are no blocks", COST.replace("config.n_layers", "config.n_heads")),
        ("feed-forward networks are missing", COST.replace("12", "4")),
        ("attention is missing", COST.replace("12", "8")),
        ("last matrix is missing", COST.replace("12", "11")),
        ("queries, keys and values", COST.replace("12", "9")),
        ("three matrices", COST.replace("12", "10")),
        ("four times as wide", COST.replace("12", "6")),
        ("not the context", COST.replace("d_model", "context_length")),
        ("not from T", COST.replace("config.vocab_size * C", "config.vocab_size * config.context_length")),
        ("not to T", COST.replace("config.vocab_size", "config.context_length")),
        ("additions", COST.replace("return ", "return 2 * (") + ")"),
        ("multiply nothing", "count_parameters(config)"),
        ("biases", COST + " + 9 * C * L"),
        ("not the whole context", COST.replace("return ", "return config.context_length * (") + ")"),
        ("expected", "1_048_576"),
        ("looked up", COST + " + config.context_length * C"),
    ],
)  # fmt: skip
WRITE = """ids = tokenizer.encode(text)
for _ in range(n_tokens):
    ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    if tokenizer.decode(ids[-1:]).endswith("."):
        break
return tokenizer.decode(ids)"""
one_sentence = Exercise(
    "4.5",
    "def one_sentence(model, text, n_tokens=20):",
    right=[
        WRITE,
        'end = tokenizer.special_tokens["<|endoftext|>"]\nids = [end, *tokenizer.encode(text)]\n'
        "for _ in range(n_tokens):\n    logits = model(torch.tensor([ids]))\n"
        "    new = logits[0, -1].softmax(-1).argmax().item()\n    ids.append(new)\n"
        '    if tokenizer.decode([new])[-1:] == ".":\n        break\nreturn tokenizer.decode(ids[1:])',
        "ids, count = torch.tensor([tokenizer.encode(text)]), 0\nwhile count < n_tokens:\n"
        "    new = model(ids)[:, -1:].argmax(dim=-1)\n    ids = torch.cat([ids, new], dim=1)\n    count += 1\n"
        '    if tokenizer.decode(new[0].tolist()).endswith("."):\n        return tokenizer.decode(ids[0].tolist())\n'
        "return tokenizer.decode(ids[0].tolist())",
        'if n_tokens == 0:\n    return text\nids = tokenizer.encode(text)\n'
        "word = tokenizer.decode([int(model(torch.tensor([ids]))[0, -1].argmax())])\n"
        'return text + word if word.endswith(".") else one_sentence(model, text + word, n_tokens - 1)',
    ],
    wrong=[
        ("only a new full stop", WRITE.replace("ids[-1:])", "ids)").replace("for _ in range(n_tokens):",
         'for _ in range(n_tokens):\n    if tokenizer.decode(ids).endswith("."):\n        break')),
        ("too early", WRITE.replace('tokenizer.decode(ids[-1:]).endswith(".")', '"." in tokenizer.decode(ids)')),
        ("last place", WRITE.replace("[0, -1]", "[0, 0]")),
        ("it goes on after n_tokens", WRITE.replace("for _ in range(n_tokens)", "while True")),
        ("that is too early", WRITE.replace("range(n_tokens)", "range(n_tokens - len(ids))")),
        ("beginning is missing", "start = len(tokenizer.encode(text))\n" + WRITE.replace("decode(ids)", "decode(ids[start:])")),
        ("without its full stop", WRITE.replace("        break", "        ids.pop()\n        break")),
        ("that is too late", WRITE.replace('    if tokenizer.decode(ids[-1:]).endswith("."):\n        break\n', "")),
        ("that is too late", WRITE.replace('endswith(".")', 'startswith("Z")')),
        ("that is too early", WRITE.replace('endswith(".")', 'endswith("a")')),
        ("that is too early", WRITE.replace("range(n_tokens)", "range(n_tokens - 1)")),
        ("it goes on after n_tokens", WRITE.replace("range(n_tokens)", "range(n_tokens + 1)")),
        ("gives no text", WRITE.replace("return tokenizer.decode(ids)", "return ids")),
        ("takes a tensor of ids (1, T)", WRITE.replace("torch.tensor([ids])", "torch.tensor(ids)")),
        ("returns nothing", WRITE.replace("return ", "")+ "\nreturn"),
        ("expected", WRITE.replace("argmax", "argmin")),
        ("n_tokens is 20", "def one_sentence(model, text, n_tokens=10):\n    " + WRITE.replace("\n", "\n    ")),
        ("at the last place", WRITE.replace("[0, -1]", "[0, -2]")),
        ("at the last place", WRITE.replace("ids.append(", "ids[-1:] = [").replace("argmax()))", "argmax())]")),
    ],
)  # fmt: skip

TestAnswers = proof("4", by_hand, rms, budget, cost, one_sentence)
