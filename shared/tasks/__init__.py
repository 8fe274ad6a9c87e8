"""What a trained model is for: to be asked, to classify, to follow instructions, to be probed."""

from shared.book.later import later
from shared.tasks.ask import log_prob, next_log_probs, probs_after
from shared.tasks.baseline import NaiveBayes, wilson

__all__ = [
    "PAD",
    "Chat",
    "ChatBox",
    "GPTClassifier",
    "NaiveBayes",
    "alpaca",
    "chat_row",
    "class_loss",
    "classify",
    "collate",
    "encode_rows",
    "exact_match",
    "fits",
    "in_batches",
    "is_right",
    "last_vectors",
    "load_classifier",
    "log_prob",
    "next_log_probs",
    "pad",
    "phi3",
    "predict",
    "probe",
    "probs_after",
    "prompt_ids",
    "respond",
    "row_feed",
    "rubric",
    "save_classifier",
    "story_row",
    "told_until",
    "train_only",
    "transcript",
    "turn_ids",
    "wilson",
    "with_ones",
    "words_in",
]

__getattr__ = later(
    __name__,
    {
        "answers": ("exact_match", "is_right", "prompt_ids", "respond", "rubric"),
        "chat": ("Chat", "ChatBox", "transcript"),
        "classifier": (
            "PAD",
            "GPTClassifier",
            "encode_rows",
            "load_classifier",
            "save_classifier",
        ),
        "instruct": (
            "alpaca",
            "chat_row",
            "collate",
            "fits",
            "pad",
            "phi3",
            "row_feed",
            "story_row",
            "turn_ids",
        ),
        "labeling": (
            "class_loss",
            "classify",
            "in_batches",
            "predict",
            "train_only",
        ),
        "probe": ("last_vectors", "probe", "told_until", "with_ones", "words_in"),
    },
)
