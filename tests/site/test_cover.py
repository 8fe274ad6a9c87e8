"""What the cover says is true: its token ids, and how its words go on in the stories."""

import re
from collections import Counter

from shared.text import SPECIAL_TOKENS, BPETokenizer
from shared.world import stories
from tests.notebooks import ROOT


def test_the_numbers_on_the_cover():
    cover = (ROOT / "book" / "figures" / "cover.svg").read_text(encoding="utf-8")
    drawn = re.findall(r"<text[^>]*>([^<]+)</text>", cover)
    tales = [story.text for story in stories(20_000, seed=0)]  # those of chapter 2
    words, ids = drawn[:4], [int(number) for number in drawn[4:8]]
    tokenizer = BPETokenizer.train(tales, vocab_size=2048, special_tokens=SPECIAL_TOKENS)
    assert [tokenizer.decode([i]) for i in ids] == [f" {word}" for word in words]

    found = re.findall(rf"\b{' '.join(words)} (\w+)", "\n".join(tales))
    shares = {word: round(100 * n / len(found)) for word, n in Counter(found).items()}
    bars = drawn[drawn.index("Which word comes next?") + 1 :]
    shares_drawn = [int(share.removesuffix(" %")) for share in bars[3:]]
    shown = dict(zip(bars[:3], shares_drawn, strict=True))
    assert shown == shares and len(found) > 400
    widths = [int(width) for width in re.findall(r'<rect x="380"[^>]* width="(\d+)"', cover)]
    assert [round(shares_drawn[0] * width / widths[0]) for width in widths] == shares_drawn
