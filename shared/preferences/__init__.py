"""Learning from preferences: comparisons, a reward model, policy gradient, DPO, best of n."""

from shared.book.later import later

__all__ = [
    "Pair",
    "RewardModel",
    "Sampled",
    "Tuning",
    "best_of_kl",
    "best_of_mean",
    "bradley_terry_loss",
    "choice_box",
    "choose",
    "continuation_logits",
    "dpo_loss",
    "frozen",
    "group_advantages",
    "learn_from_pairs",
    "pair_rows",
    "policy_gradient",
    "policy_gradient_loss",
    "prefers_first",
    "read_choices",
    "reading",
    "sample",
    "save_choices",
    "shares",
    "taste",
    "text_log_probs",
    "text_row",
    "token_kl",
]

__getattr__ = later(
    __name__,
    {
        "best_of": ("best_of_kl", "best_of_mean"),
        "choosing": ("choice_box",),
        "dpo": ("dpo_loss", "learn_from_pairs"),
        "pairs": ("Pair", "pair_rows", "read_choices", "save_choices", "text_row"),
        "policy": (
            "Tuning",
            "group_advantages",
            "policy_gradient",
            "policy_gradient_loss",
            "token_kl",
        ),
        "reward": ("RewardModel", "bradley_terry_loss"),
        "sampling": ("Sampled", "continuation_logits", "frozen", "sample", "text_log_probs"),
        "tastes": ("choose", "prefers_first", "reading", "shares", "taste"),
    },
)
