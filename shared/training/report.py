"""What a checkpoint can do, measured.  python -m shared.training.report [runs/mine]

Without a folder it reports on the model that comes with the book. The book's chapters and the card
of its model quote these numbers.
"""

import argparse
import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import torch
from torch.nn import functional as F

from shared.model import CHECKPOINTS, GPT, Decoding, complete, load_run
from shared.text import END_OF_TEXT, BPEEncoder, ngram_losses
from shared.training.feed import rows_and_floor
from shared.training.loop import evaluate
from shared.training.mentions import carried, second_mentions
from shared.world import SPLITS, WORLD, Reader, stories, story_quality, world
from shared.world.quality import mistakes

SENTENCE = re.compile(r"\S.*?[.!?]\"?(?=\s|$)", re.S)
READ = 25_000  # stories in which n-grams are counted and sentences are looked up
CLASSES = {
    "names": ("girls", "boys"),
    "things": ("thing",),
    "colors": ("color",),
    "places": ("where",),
}


def sentences(text: str) -> list[str]:
    """The sentences of a story; a quotation's sentences are several."""
    return SENTENCE.findall(text)


def gap(model: GPT, tokenizer: BPEEncoder, split: str = "validation", n: int = 300) -> float:
    """Nats per token above the entropy floor, on stories of a split."""
    rows, floor = rows_and_floor(tokenizer, model.config.context_length, split, n)
    return evaluate(model, *rows) - floor


@torch.no_grad()
def class_cosines(model: GPT, tokenizer: BPEEncoder) -> dict[str, float]:
    """Mean cosine between the token vectors of names, of things, ...: 1 means they are one vector.

    Of each class the words that are one token; a class of fewer than three is left out.
    """
    vectors, found = F.normalize(model.wte.weight, dim=-1), {}
    for name, lists in CLASSES.items():
        words = [word for key in lists for word in WORLD["lists"][key]]
        ids = [ids[0] for word in words if len(ids := tokenizer.encode(f" {word}")) == 1]
        if (n := len(ids)) > 2:
            cosines = vectors[ids] @ vectors[ids].T
            found[name] = ((cosines.sum() - n) / (n * n - n)).item()
    return found


def verbatim(texts: Collection[str], read: Collection[str]) -> float:
    """The share of the texts' sentences that stand word for word in a collection of sentences."""
    told = [sentence for text in texts for sentence in sentences(text)]
    return sum(sentence in read for sentence in told) / max(1, len(told))


def possible_sentences(texts: Sequence[str]) -> float:
    """The share of sentences that the world could have told there, given the story so far.

    What is told after a sentence that fits no story at all does not count as possible.
    """
    right, told = 0, 0
    for text in texts:
        found, spans = mistakes(text), [match.span() for match in SENTENCE.finditer(text)]
        told += len(spans)
        if found is None:
            reached = Reader(world("any")).read(text).reached
            right += sum(stop <= reached for _, stop in spans)
        else:  # what goes wrong with a sentence's first word may begin with the space before it
            right += sum(
                not any(start - 1 <= at < stop for _, at in found) for start, stop in spans
            )
    return right / max(1, told)


def report(
    model: GPT, tokenizer: BPEEncoder, n: int = 300, temperature: float = 0.8, seed: int = 0
) -> dict:
    """All that is measured of a checkpoint, from n stories each; losses in nats per token."""
    rows, floor = rows_and_floor(tokenizer, model.config.context_length, n=n)
    fresh, read = stories(n, split="validation"), stories(READ)
    luck, length = torch.Generator().manual_seed(seed), model.config.context_length - 1
    told = complete(model, tokenizer, [""] * n, Decoding(temperature), luck, length)
    known = {sentence for story in read for sentence in sentences(story.text)}
    new = {"model": verbatim(told, known), "world": verbatim([s.text for s in fresh], known)}
    encoded = [[tokenizer.encode(story.text) for story in some] for some in (read, fresh)]
    few = fresh[:100]
    return {
        "ngrams": ngram_losses(*encoded, tokenizer.special_tokens[END_OF_TEXT]),
        "loss": evaluate(model, *rows),
        "floor": floor,
        "above_the_floor": {split: gap(model, tokenizer, split, n) for split in SPLITS[1:]},
        "carried": carried(model, tokenizer, few, second_mentions(few, tokenizer)),
        "sampled": {"stories": n, "temperature": temperature, "seed": seed},
        "quality": story_quality(told, {story.text for story in read}),
        "possible_sentences": possible_sentences(told),
        "verbatim_sentences": new,
        "cosines": class_cosines(model, tokenizer),
    }


def table(found: dict) -> str:
    """A report as lines to be read."""
    lines = ["loss on new stories, nats per token"]
    lines += [f"  {n}-gram  {loss:7.3f}" for n, loss in enumerate(found["ngrams"], start=1)]
    lines += [f"  model   {found['loss']:7.3f}", f"  floor   {found['floor']:7.3f}"]
    lines += ["above the floor, nats per token"]
    lines += [f"  {split:12} {nats:.4f}" for split, nats in found["above_the_floor"].items()]
    lines += ["names told again: nats above the exact ones; likeliest where there is no choice"]
    for kind, of in found["carried"].items():
        right = f"{of['right']:6.1%} of {of['sure']}" if of["sure"] else ""
        lines.append(f"  {kind:8} {of['mentions']:4} {of['nats']:7.3f}  {right}")
    s = found["sampled"]
    lines += [
        f"of {s['stories']} stories, told at temperature {s['temperature']}, the share that is"
    ]
    lines += [f"  {name:12} {share:6.1%}" for name, share in found["quality"].items()]
    new = found["verbatim_sentences"]
    lines += [
        f"sentences that are possible given the story so far {found['possible_sentences']:.1%}",
        f"sentences that stand in {READ:,} stories {new['model']:.1%}",
        f"  of new stories that the world tells {new['world']:.1%}",
        "mean cosine between the token vectors of a class",
        *(f"  {name:8} {cosine:.2f}" for name, cosine in found["cosines"].items()),
    ]
    return "\n".join(lines)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m shared.training.report", None, __doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=CHECKPOINTS, help="of a run")
    parser.add_argument("--stories", type=int, default=300, help="how many to judge by")
    parser.add_argument("--json", action="store_true", help="for other programs")
    options = parser.parse_args(words)
    found = report(*load_run(options.folder), n=options.stories)
    print(json.dumps(found, indent=1) if options.json else table(found))


if __name__ == "__main__":
    main()
