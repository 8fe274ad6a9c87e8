"""Answers to the exercises of chapter 5."""

from tests.answers.proof import Exercise, proof

by_hand = Exercise(
    "5.1",
    "answer_5_1 =",
    right=["[1.25 * math.log(2), 2**1.25]", "(0.87, 2.38)", "torch.tensor([0.8664, 2.3784])",
           "[0.866, 2.378]", "0.87, 2.4"],
    wrong=[
        ("not a sum", "[3.466, 32]"),
        ("not in bits", "[1.25, 2.38]"),
        ("base 10", "[0.376, 2.38]"),
        ("the minus is missing", "[-0.866, 2.38]"),
        ("not the logarithm of the mean", "[0.693, 2]"),
        ("mean of the probabilities", "[0.5, 1.65]"),
        ("the whole text", "[1 / 32, 1.03]"),
        ("comes second", "[2.38, 0.87]"),
        ("the last token counts too", "[1.155, 3.175]"),
        ("not 2", "[0.866, 1.823]"),
        ("not of the sum", "[0.866, 32]"),
        ("not of its negative", "[0.866, 0.42]"),
        ("not the mean of 1 / p", "[0.866, 2.75]"),
        ("exponential is missing", "[0.866, 0.866]"),
        ("not in bits", "[0.866, 3.49]"),
        ("two numbers", "[0.866]"),
        ("negative logarithm of each", "[0.95, 2.38]"),
        ("the exponential of the loss", "[0.866, 2.7]"),
    ],
    secrets=[r"0\.86", r"0\.87", r"2\.3[78]", r"\b1\.25"],
)  # fmt: skip
MIN_P = """least = min_p * probs.max(dim=-1, keepdim=True).values
kept = probs * (probs >= least)
return kept / kept.sum(dim=-1, keepdim=True)"""
min_p = Exercise(
    "5.2",
    "def keep_min_p(probs, min_p):",
    right=[
        MIN_P,
        "kept = torch.where(probs / probs.amax(-1, True) >= min_p, probs, 0)\nreturn kept / kept.sum(-1, True)",
        "rows = []\nfor row in probs:\n    row = [p if p >= min_p * max(row) else p * 0 for p in row]\n"
        "    rows.append([p / sum(row) for p in row])\nreturn rows",
        "out = probs.clone()\nout[out < min_p * out.amax(1, keepdim=True)] = 0\n"
        "return torch.nn.functional.normalize(out, p=1, dim=1)",
    ],
    wrong=[
        ("its own likeliest", MIN_P.replace("probs.max(dim=-1, keepdim=True).values", "probs.max()")),
        ("a tie stays", MIN_P.replace(">=", ">")),
        ("not min_p alone", MIN_P.replace("least = min_p * ", "least = min_p + 0 * ")),
        ("no distance", MIN_P.replace("min_p * probs.max(dim=-1, keepdim=True).values", "probs.max(dim=-1, keepdim=True).values - min_p")),
        ("not the others", MIN_P.replace(">=", "<")),
        ("again sum to 1", MIN_P.replace(" / kept.sum(dim=-1, keepdim=True)", "")),
        ("not of all", MIN_P.replace("kept.sum(dim=-1, keepdim=True)", "kept.sum()")),
        ("not by the largest", MIN_P.replace("kept.sum(dim=-1, keepdim=True)", "kept.amax(-1, True)")),
        ("every token", "probs"),
        ("changes what it was given", MIN_P.replace("kept = probs * (probs >= least)", "probs[probs < least] = 0\nkept = probs")),
        ("the likeliest alone", "return (probs == probs.amax(-1, True)) * probs / (probs * (probs == probs.amax(-1, True))).sum(-1, True)"),
        ("yes and no", "return probs >= min_p * probs.amax(-1, True)"),
        ("stay in proportion", MIN_P.replace("probs * (probs", "1.0 * (probs")),
        ("softmax", MIN_P.replace("kept / kept.sum(dim=-1, keepdim=True)", "kept.softmax(-1)")),
        ("within a column", MIN_P.replace("probs.max(dim=-1, keepdim=True)", "probs.max(dim=0)")),
        ("this is top-p", "p, order = probs.sort(-1, descending=True)\np[p.cumsum(-1) - p >= min_p] = 0\n"
         "out = torch.zeros_like(p).scatter(-1, order, p)\nreturn out / out.sum(-1, True)"),
        ("the shape", MIN_P.replace("return kept / kept.sum(dim=-1, keepdim=True)", "return (kept / kept.sum(-1, True))[0]")),
        ("with min_p = 0.3", MIN_P.replace("kept = probs", "kept = probs.square()")),
        ("with min_p = 0.3", MIN_P.replace("min_p *", "0.5 *")),
    ],
)  # fmt: skip
STABLE = """if step < recipe.warmup:
    return (step + 1) / recipe.warmup
return min(1.0, (recipe.steps - step) / (0.2 * recipe.steps))"""
schedule = Exercise(
    "5.3",
    "def stable(step, recipe):",
    right=[
        STABLE,
        STABLE.replace("recipe.steps - step)", "recipe.steps - 1 - step)"),
        "fall = recipe.steps - recipe.steps // 5\nif step < recipe.warmup:\n    return (step + 1) / recipe.warmup\n"
        "if step < fall:\n    return torch.tensor(1.0)\nreturn 1 - (step - fall) / (recipe.steps - fall)",
        "fall, last = int(0.8 * recipe.steps), recipe.steps - 1\nif step < recipe.warmup:\n    return (step + 1) / recipe.warmup\n"
        "return 1 - max(0, step - fall) / (last - fall)",
    ],
    wrong=[
        ("not the rate", STABLE.replace("return ", "return recipe.lr * ")),
        ("half a cosine", STABLE.replace("return min(1.0, (recipe.steps - step) / (0.2 * recipe.steps))",
         "fall = 0.8 * recipe.steps\ndone = max(0, step - fall) / (recipe.steps - fall)\nreturn 0.5 * (1 + math.cos(math.pi * done))")),
        ("not to recipe.final", STABLE.replace("return min(", "return recipe.final + (1 - recipe.final) * min(")),
        ("not from 0", STABLE.replace("(step + 1)", "step")),
        ("warm-up is missing", STABLE.split("\n")[2]),
        ("fall is missing", "return min(1.0, (step + 1) / max(1, recipe.warmup))"),
        ("stays at 1", STABLE.replace("0.2 * recipe.steps", "recipe.steps - recipe.warmup")),
        ("not 20 steps", STABLE.replace("0.2 * recipe.steps", "20")),
        ("last tenth", STABLE.replace("0.2", "0.1")),
        ("a fifth of all steps", STABLE.replace("0.2 * recipe.steps", "0.2 * (recipe.steps - recipe.warmup)")),
        ("not 10", STABLE.replace("recipe.warmup", "10")),
        ("upside down", STABLE.replace("return ", "return 1 - ")),
        ("this is cosine", "cosine(step, recipe)"),
        ("stops with ZeroDivisionError", "return min((step + 1) / recipe.warmup, 1, (recipe.steps - step) / (0.2 * recipe.steps))"),
        ("with 100 steps", STABLE.replace("recipe.steps -", "100.5 -")),
        ("with 60 steps", STABLE.replace("recipe.steps", "100")),
        ("returns nothing", "if step < recipe.warmup:\n    return (step + 1) / recipe.warmup"),
    ],
)  # fmt: skip
CLIP = """norm = sum((g**2).sum() for g in gradients) ** 0.5
return [g * min(1.0, most / float(norm)) for g in gradients]"""
clip = Exercise(
    "5.4",
    "def clipped(gradients, most):",
    right=[
        CLIP,
        "norm = torch.stack([g.norm() for g in gradients]).norm()\n"
        "return [g * (most / (norm + 1e-6)).clamp(max=1.0) for g in gradients]",
        "norm = torch.cat([g.flatten() for g in gradients]).norm()\n"
        "return gradients if norm <= most else tuple(g / norm * most for g in gradients)",
        "copies = [torch.zeros_like(g) for g in gradients]\nfor c, g in zip(copies, gradients):\n    c.grad = g.clone()\n"
        "torch.nn.utils.clip_grad_norm_(copies, most)\nreturn [c.grad for c in copies]",
    ],
    wrong=[
        ("not one for each", "[g * min(1.0, most / float(g.norm())) if g.norm() else g for g in gradients]"),
        ("sum of norms", CLIP.replace("sum((g**2).sum() for g in gradients) ** 0.5", "sum(g.norm() for g in gradients)")),
        ("the root is missing", CLIP.replace(" ** 0.5", "")),
        ("turns the step", "[g.clamp(-most, most) for g in gradients]"),
        ("from above only", "[g.clamp(max=most) for g in gradients]"),
        ("largest number", CLIP.replace("sum((g**2).sum() for g in gradients) ** 0.5", "max(g.abs().max() for g in gradients)")),
        ("not of the first", CLIP.replace("sum((g**2).sum() for g in gradients) ** 0.5", "gradients[0].norm()")),
        ("a smaller norm", CLIP.replace("min(1.0, most / float(norm))", "(most / norm)")),
        ("not to 1", CLIP.replace("most / float", "1 / float")),
        ("nothing is clipped", "[g.clone() for g in gradients]"),
        ("changes what it was given", CLIP.replace("return [g * min(1.0, most / float(norm)) for g in gradients]",
         "for g in gradients:\n    g *= min(1.0, most / float(norm))\nreturn gradients")),
        ("gives no list", CLIP.replace("return [g", "return torch.cat([(g").replace("for g in gradients]", ").flatten() for g in gradients])") .replace("float(norm)) )", "float(norm))) ")),
        ("gives a gradient of shape", CLIP.replace("[g *", "[g.flatten() *")),
        ("divide by the norm", "[g / most for g in gradients]"),
        ("squares, not a sum", CLIP.replace("(g**2).sum() for g in gradients) ** 0.5", "g.abs().sum() for g in gradients)")),
        ("no list", "gradients[:1]"),
        ("returns nothing", CLIP.replace("return ", "new = ") + "\nreturn None"),
        ("changes what it was given", "torch.nn.utils.clip_grad_norm_(gradients, most)\ngradients[0] += 0.1\nreturn gradients"),
    ],
)  # fmt: skip

TestAnswers = proof("5", by_hand, min_p, schedule, clip)
