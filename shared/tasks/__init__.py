"""What a trained model is for: to be asked, to classify, to follow instructions, to be probed."""

from shared.book.later import later
from shared.tasks.ask import log_prob, next_log_probs, probs_after
from shared.tasks.baseline import NaiveBayes, wilson

__all__ = [
    "PAD",
    "ChatBox",
    "GPTClassifier",
    "NaiveBayes",
    "alpaca",
    "class_loss",
    "classify",
    "collate",
    "encode_pair",
    "encode_rows",
    "exact_match",
    "fits",
    "in_batches",
    "last_vectors",
    "load_classifier",
    "log_prob",
    "mixed",
    "next_log_probs",
    "pair_feed",
    "phi3",
    "predict",
    "probe",
    "probs_after",
    "prompt_ids",
    "respond",
    "rubric",
    "save_classifier",
    "told_in_parts",
    "train_only",
    "transcript",
    "wilson",
    "words_in",
]

__getattr__ = later(
    __name__,
    {
        "answers": ("exact_match", "respond", "rubric"),
        "chat": ("ChatBox", "transcript"),
        "classifier": (
            "PAD",
            "GPTClassifier",
            "encode_rows",
            "load_classifier",
            "save_classifier",
        ),
        "instruct": (
            "alpaca",
            "collate",
            "encode_pair",
            "fits",
            "mixed",
            "pair_feed",
            "phi3",
            "prompt_ids",
        ),
        "labeling": (
            "class_loss",
            "classify",
            "in_batches",
            "predict",
            "train_only",
        ),
        "probe": ("last_vectors", "probe", "told_in_parts", "words_in"),
    },
)
