"""Answers to the exercises of chapter 1."""

from tests.answers.proof import Exercise, proof

PAIRS = '[("Mia", "had"), ("Mia had", "a"), ("Mia had a", "kite"), ("Mia had a kite", ".")]'

by_hand = Exercise(
    "1.1",
    "answer_1_1 =",
    right=[
        PAIRS,
        PAIRS.replace("[(", '[("", "Mia"), ('),
        f"tuple(reversed({PAIRS}))",
        f"[[read.split(), target] for read, target in {PAIRS}]",
        '[(" Mia", " had"), (" Mia had", " a"), (" Mia had a", " kite"), (" Mia had a kite", ".")]',
    ],
    wrong=[
        ("one token is asked for", '[("Mia", "had a kite ."), ("Mia had", "a kite .")]'),
        ("one token is asked for", PAIRS.replace('"had")', '"had a")')),
        ("one token is asked for", PAIRS.replace('("Mia had", "a")', '("a", "Mia had")')),
        ("turn the pair round", '[("had", "Mia")]'),
        ("all that precedes", PAIRS.replace('"Mia had"', '"had"')),
        ("was read already", PAIRS.replace('"Mia had", "a"', '"Mia had a", "a"')),
        ("not the very next token", PAIRS.replace('"had")', '"a")')),
        ("is no target yet", PAIRS.replace(', ("Mia had a kite", ".")', "")),
        ("stands there twice", PAIRS.replace("]", ', ("Mia", "had")]')),
        ("stands there twice", '[("Mia", "had")] * 4'),
        ("is no token of the text", PAIRS.lower()),
        ("has to come next", PAIRS.replace("]", ', ("Mia had a kite .", "")]')),
        ("is no pair", '["Mia", "had", "a", "kite", "."]'),
        ("is no pair", '[("Mia", "had", "a")]'),
        ("order", PAIRS.replace('"Mia had a"', '"had Mia a"')),
    ],
)
START = 'tokenizer.special_tokens["<|endoftext|>"]'
READ = f"ids = [{START}, *tokenizer.encode(text)]\nlog_probs = next_log_probs(model, ids[:-1])\n"
GUESSED = READ + "guesses, right = log_probs.argmax(dim=-1), torch.tensor(ids[1:])\n"
share = Exercise(
    "1.2",
    "def share_of_hits(text):",
    right=[
        GUESSED + "return (guesses == right).float().mean().item()",
        GUESSED + "return (guesses == right).double().mean()",
        READ + "hits = [row.argmax() == i for row, i in zip(log_probs, ids[1:])]\n"
        "return sum(hits) / len(hits)",
        "ids, hits = tokenizer.encode(text), 0\nfor t, i in enumerate(ids):\n"
        f"    row = next_log_probs(model, [{START}, *ids[:t]])[-1]\n"
        "    hits += int(row.argmax()) == i\nreturn hits / len(ids)",
        READ + "return (log_probs.exp().max(-1).indices.numpy() == ids[1:]).mean()",
    ],
    wrong=[
        ("the first token counts too", GUESSED + "return (guesses == right)[1:].double().mean()"),
        ("the misses", GUESSED + "return (guesses != right).double().mean()"),
        ("not a number of hits", GUESSED + "return (guesses == right).sum()"),
        ("between 0 and 1", GUESSED + "return 100 * (guesses == right).double().mean()"),
        ("divide by that", GUESSED + "return (guesses == right).sum() / len(ids)"),
        ("the first token counts too", GUESSED + "return (guesses == right).sum() / max(1, len(ids) - 2)"),
        ("no mean of probabilities", READ + "return log_probs[range(len(ids)-1), ids[1:]].exp().mean()"),
        ("whatever its probability", READ + "return log_probs[range(len(ids)-1), ids[1:]].mean()"),
        (
            "after the token it is for",
            READ.replace("ids[:-1])", "ids)[1:]") + "return (log_probs.argmax(-1) == "
            "torch.tensor(ids[1:])).double().mean()",
        ),
        (
            "begin with the token between",
            "ids = tokenizer.encode(text)\nguess = next_log_probs(model, ids).argmax(-1)[:-1]\n"
            "return (guess == torch.tensor(ids[1:])).sum() / len(ids)",
        ),
        (
            "another text",
            GUESSED.replace("(text)", "(tale)") + "return (guesses == right).double().mean()",
        ),
        ("5 likeliest", READ + "top = log_probs.topk(5).indices\n"
         "return (top == torch.tensor(ids[1:])[:, None]).any(1).double().mean()"),
        ("stops with ", "return undefined_name"),
        ("gives 0.5, expected", "0.5"),
        ("expected", "1 / len(text)"),
        ("not numbers of one shape", "'all'"),
        ("returns nothing", "share = 0.5\nreturn None"),
    ],
)  # fmt: skip
budget = Exercise(
    "1.3",
    "n_1_3, d_1_3 =",
    right=[
        "2.9e9, 5.8e10",
        "3e9, 6e10",
        "(1e21 / 120) ** 0.5, 20 * (1e21 / 120) ** 0.5",
        "torch.tensor(2.887e9), torch.tensor(5.774e10)",
        "2_900_000_000, 58_000_000_000",
    ],
    wrong=[
        ("first the parameters", "5.8e10, 2.9e9"),
        ("tokens for each one", "2.9e9, 2.9e9"),
        ("tokens for each one", "1e9, 1e21 / 6e9"),
        ("costs 6 operations", "(1e21 / 20) ** 0.5, 20 * (1e21 / 20) ** 0.5"),
        ("costs 6 operations", "(1e21 / 40) ** 0.5, 20 * (1e21 / 40) ** 0.5"),
        ("so take a root", "1e21 / 120, 20 * 1e21 / 120"),
        ("100 times the budget", "2.887e10, 5.774e11"),
        ("0.01 times the budget", "2.887e8, 5.774e9"),
        ("0.25 times the budget", "2.887e9 / 2, 5.774e10 / 2"),
        ("above zero", "-2.9e9, -5.8e10"),
        ("above zero", "2.9e9, 0"),
        ("tokens for each one", "2.9e9, 20"),
    ],
    secrets=[r"2\.[89]\d*e\+?0?9", r"5\.[78]\d*e\+?10", "2_9|2_8"],
)
mask = Exercise(
    "1.4",
    "def question_and_answer(T, n):",
    right=[
        "seen = torch.ones(T, T).tril()\nseen[:, :n] = 1\nreturn seen",
        "[[int(j <= i or j < n) for j in range(T)] for i in range(T)]",
        "i = torch.arange(T)\nreturn (i[None] <= i[:, None]) | (i[None] < n)",
        "torch.ones(T, T, dtype=torch.int).tril().index_fill(1, torch.arange(n), 1)",
        "torch.maximum(torch.ones(T, T).tril(), (torch.arange(T) < n).float()).numpy()",
    ],
    wrong=[
        ("so does a decoder", "torch.ones(T, T).tril()"),
        ("so does an encoder", "torch.ones(T, T)"),
        ("a row is a token that sees", "seen = torch.ones(T, T).tril()\nseen[:, :n] = 1\nreturn seen.T"),
        ("also sees itself", "seen = torch.ones(T, T).tril(-1)\nseen[:, :n] = 1\nreturn seen"),
        ("n + 1 tokens", "seen = torch.ones(T, T).tril()\nseen[:, :n + 1] = 1\nreturn seen"),
        ("n - 1 tokens", "seen = torch.ones(T, T).tril()\nseen[:, :max(0, n - 1)] = 1\nreturn seen"),
        ("what is seen", "seen = torch.ones(T, T).tril()\nseen[:, :n] = 1\nreturn 1 - seen"),
        ("sees the question too", "seen = torch.zeros(T, T)\nseen[:n, :n] = 1\n"
         "seen[n:, n:] = torch.ones(T - n, T - n).tril()\nreturn seen"),
        ("the answer before it", "seen = torch.zeros(T, T)\nseen[:, :n] = 1\nreturn seen"),
        ("does not see the answer", "seen = torch.ones(T, T).tril()\nseen[:n] = 1\nreturn seen"),
        ("zeros, nothing to be added", "seen = torch.ones(T, T).tril()\nseen[:, :n] = 1\n"
         "return seen.log()"),
        ("is still one", "seen = torch.ones(T, T).tril()\nseen[:, :n] += 1\nreturn seen"),
        ("not of the answer", "seen = torch.ones(T, T).tril()\nseen[:, :T - n] = 1\nreturn seen"),
        ("expected (8, 8)", "torch.ones(T, n)"),
        ("question_and_answer(4, 1)", "seen = torch.ones(8, 8).tril()\nseen[:, :3] = 1\nreturn seen"),
    ],
)  # fmt: skip
JUDGED = (
    "def judged(text, rest):\n"
    f"    ids, new = [{START}, *tokenizer.encode(text)], tokenizer.encode(rest)\n"
    "    rows = next_log_probs(model, [*ids, *new])[len(ids) - 1 : -1]\n"
    "    return rows[range(len(new)), new]\n"
)
choice = Exercise(
    "1.5",
    "def choose(text, choices):",
    right=[
        "max(choices, key=lambda rest: log_prob(model, tokenizer, text, rest))",
        JUDGED + "return sorted(choices, key=lambda rest: judged(text, rest).sum())[-1]",
        JUDGED + "return choices[torch.stack([judged(text, c).sum() for c in choices]).argmax()]",
    ],
    wrong=[
        ("read the text", 'max(choices, key=lambda rest: log_prob(model, tokenizer, "", rest))'),
        ("not only the first", JUDGED + "return max(choices, key=lambda c: judged(text, c)[0])"),
        ("not only the last", JUDGED + "return max(choices, key=lambda c: judged(text, c)[-1])"),
        ("not the least", JUDGED + "return min(choices, key=lambda c: judged(text, c).sum())"),
        ("not the mean", JUDGED + "return max(choices, key=lambda c: judged(text, c).mean())"),
        ("add logarithms", JUDGED + "return max(choices, key=lambda c: judged(text, c).exp().sum())"),
        ("the longest", "max(choices, key=len)"),
        ("the shortest", "min(choices, key=len)"),
        ("the first of the list", "choices[0]"),
        ("changes what it was given", "choices.sort(key=lambda c: log_prob(model, tokenizer, text, c))"
         "\nreturn choices[-1]"),
        ("none of the choices", "max(range(len(choices)), key=lambda i: log_prob(model, tokenizer, "
         "text, choices[i]))"),
        ("none of the choices", "max(log_prob(model, tokenizer, text, c) for c in choices)"),
        ("none of the choices", "text + max(choices, key=lambda c: log_prob(model, tokenizer, text, c))"),
        ("expected", "choices[-1]"),
    ],
)  # fmt: skip

TestAnswers = proof("1", by_hand, share, budget, mask, choice)
