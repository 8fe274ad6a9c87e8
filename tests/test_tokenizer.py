import doctest
import json
import os
import pickle
import random
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.text import (
    CHUNKS,
    END_OF_TEXT,
    UNKNOWN,
    WORDS,
    WORDS_AND_COLONS,
    BPETokenizer,
    WordTokenizer,
    apply_merges,
    bpe,
    count_chunks,
    learn_merges,
    split_chunks,
    split_special,
    split_words,
    words,
)
from tests.benchmarks.bench_bpe import naive_merges, naive_parts, prose

HALF = "\ud83d"  # the first half of an emoji
CLASSES = [
    "abcdefghijklmnopqrstuvwxyzETAOIN",
    "    \t\n\r\x0b\x0c\x00\x1c\x85\xa0\u2003\u2028\u200b\ufeff",
    "0123456789٠١٢٣²½Ⅷ",
    ".,;:!?'\"()--_<|>endoftext",
    "'s't'll've're'd'm ’s",
    "éüßÅñ" + "".join(map(chr, range(0x300, 0x340))),  # marks, often with no letter to stand on
    "שלוםمرحبا\u200f\u202e\u061c",
    "😀👩\u200d💻👍🏽🇩🇪❤\ufe0f",
    "漢字仮名交じり文한국어ไทย",
    "\ue000\uffff\U0010ffff\U000e0001𝔘𐍈",
]


def random_texts(n: int, seed: int) -> list[str]:
    """Texts of 0 to 16 characters: from one or two of the classes, or from all of Unicode."""
    rng, texts = random.Random(seed), []
    for _ in range(n):
        length = rng.randrange(17)
        if rng.random() < 0.1:
            codes = [rng.randrange(0x110000 - 0x800) for _ in range(length)]
            texts.append("".join(chr(c + 0x800 * (c >= 0xD800)) for c in codes))
        else:
            texts.append("".join(rng.choices(rng.choice(CLASSES) + rng.choice(CLASSES), k=length)))
    return texts


@pytest.fixture(scope="module")
def ours() -> BPETokenizer:
    return BPETokenizer.train(prose()[:200_000], 1024, [END_OF_TEXT, "<|pad|>"])


@pytest.fixture(scope="module")
def gpt2() -> BPETokenizer:
    try:
        return BPETokenizer.from_gpt2()
    except OSError as error:  # what tiktoken raises without a network
        pytest.skip(f"GPT-2's tables can't be had here ({type(error).__name__})")


@pytest.fixture(scope="module")
def verdict() -> str:
    data = pytest.importorskip("shared.book.data")
    if not data.available("the-verdict"):
        pytest.skip("the-verdict can't be had here")
    return data.fetch("the-verdict").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", [bpe, words])
def test_examples_in_docstrings(module):
    failed, tried = doctest.testmod(module)
    assert tried and not failed


# Word tokenizer


def test_words_by_hand():
    words = WordTokenizer.train('"Yes," she said -- no; yes.')
    assert words.words == ['"', ",", "--", ".", "Yes", "no;", "said", "she", "yes"]
    assert words.encode("yes, she said") == [8, 1, 7, 6]
    assert words.decode([4, 1, 7, 6, 3]) == "Yes, she said."
    colons = WordTokenizer.train("no; yes: both", pattern=WORDS_AND_COLONS)
    assert colons.words == [":", ";", "both", "no", "yes"]


def test_words_special_tokens_stand_alone():
    words = WordTokenizer.train(f"one {END_OF_TEXT} two", [END_OF_TEXT, UNKNOWN])
    assert words.words == ["one", "two", END_OF_TEXT, UNKNOWN]
    assert words.encode(f"two!{END_OF_TEXT}one") == [1, 3, 2, 0]
    assert words.encode(UNKNOWN) == [3] and words.encode("") == []


def test_words_bad_input():
    words = WordTokenizer.train("It's late.")
    with pytest.raises(KeyError, match="'early' is not among the 5 known words"):
        words.encode("It's early.")
    for i in (5, -1):
        with pytest.raises(ValueError, match=f"unknown token id {i}: the vocabulary has 5"):
            words.decode([0, i])


def test_words_are_no_inverse():
    words = WordTokenizer.train("It's late.")
    assert words.decode(words.encode("It's late.")) == "It' s late."


def test_verdict_figures(verdict):
    assert len(verdict) == 20_479
    for pattern, tokens, known in ((WORDS, 4649, 1159), (WORDS_AND_COLONS, 4690, 1130)):
        assert len(split_words(verdict, pattern)) == tokens
        assert len(WordTokenizer.train(verdict, pattern=pattern).words) == known
    half = len(verdict) // 2
    known, later = {*split_words(verdict[:half])}, split_words(verdict[half:])
    new = sum(piece not in known for piece in later)
    assert round(new / len(later), 2) == 0.24  # "a quarter", says section 2.2
    words = WordTokenizer.train(verdict, [END_OF_TEXT, UNKNOWN])
    first = '"It\'s the last he painted, you know," Mrs. Gisburn said with pardonable pride.'
    ids = "1 58 2 872 1013 615 541 763 5 1155 608 5 1 69 7 39 873 1136 773 812 7"
    assert words.encode(first) == list(map(int, ids.split()))
    second = f'"This is a test! {END_OF_TEXT} What is your favorite movie'
    assert words.encode(second) == [1, 101, 595, 119, 1160, 0, 1159, 113, 595, 1157, 1160, 1160]
    assert words.decode(words.encode(first)).startswith('" It\' s the last he painted, you know,"')


def test_verdict_in_gpt2_tokens(verdict, gpt2):
    ids = gpt2.encode(verdict)
    assert len(ids) == 5145 and ids[:6] == [40, 367, 2885, 1464, 1807, 3619]


# Learning merges


def test_merges_by_hand():
    # "hug" 10, "pug" 5, "pun" 12, "bun" 4, "hugs" 5: u-g 20, then u-n 16, then h-ug 15
    chunks = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    assert learn_merges(chunks, 3) == [(b"u", b"g"), (b"u", b"n"), (b"h", b"ug")]


def test_ties_go_to_the_first_pair_in_byte_order():
    assert learn_merges({"ba": 1, "ab": 1, "aa": 1}, 9) == [
        (b"a", b"a"),
        (b"a", b"b"),
        (b"b", b"a"),
    ]
    assert learn_merges({"é": 1, "zz": 1}, 1) == [(b"z", b"z")]


def test_merges_do_not_depend_on_the_order_of_the_chunks():
    chunks = list(count_chunks(prose()[:20_000]).items())
    expected = learn_merges(dict(chunks), 200)
    random.Random(0).shuffle(chunks)
    assert learn_merges(dict(chunks), 200) == expected


@settings(max_examples=300, deadline=None)
@given(st.text("abé 's1\n", max_size=60), st.integers(0, 40))
def test_same_merges_as_rescanning_everything(text, n):
    assert learn_merges(count_chunks(text), n) == naive_merges(split_chunks(text), n)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab", max_size=40), max_size=4), st.integers(0, 30))
def test_same_merges_on_runs_that_overlap(chunks, n):
    assert learn_merges(dict.fromkeys(chunks, 1), n) == naive_merges(list(dict.fromkeys(chunks)), n)


def test_same_merges_on_prose():
    text = prose()[:20_000]
    assert learn_merges(count_chunks(text), 150) == naive_merges(split_chunks(text), 150)


def test_training_files_and_special_tokens(tmp_path):
    texts = ["one two one\r\n", "two three<|endoftext|>three"]
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for file, text in zip(files, texts, strict=True):
        file.write_bytes(text.encode())
    assert count_chunks(files) == count_chunks(texts) == count_chunks(iter(texts))
    assert count_chunks(files[0])["\r\n"] == 1
    counts = count_chunks(texts, [END_OF_TEXT])
    assert counts["three"] == 1 and counts[" three"] == 1 and "endoftext" not in counts
    assert split_special("<a><a>b", ["<a>", "<a>b"]) == ["", "<a>", "", "<a>b", ""]


# Encoding and decoding


@settings(max_examples=300, deadline=None)
@given(st.text("abcé", max_size=30), st.text("abcé", max_size=30))
def test_same_parts_as_searching_all_pairs(learned, text):
    merges = learn_merges({learned: 1}, 12)
    ranks = {bytes([byte]): byte for byte in range(256)}
    ranks |= {a + b: rank for rank, (a, b) in enumerate(merges, 256)}
    assert len(ranks) == 256 + len(merges)  # no token can be learned twice
    assert apply_merges(text.encode(), ranks) == naive_parts(text.encode(), ranks)


def test_ids_of_a_trained_tokenizer(ours):
    assert ours.vocab_size == len(ours.tokens) == 1024
    assert ours.special_tokens == {END_OF_TEXT: 1022, "<|pad|>": 1023}
    assert [ours.ids[bytes([byte])] for byte in range(256)] == list(range(256))
    assert len(ours.encode(" the")) == 1


def test_round_trip_of_100_000_random_texts(ours):
    for text in random_texts(100_000, seed=1):
        assert ours.decode(ours.encode_ordinary(text)) == text


def test_same_ids_as_tiktoken_with_our_vocabulary(ours):
    reference = ours.to_tiktoken()
    assert reference.n_vocab == 1024
    for text in [*random_texts(10_000, seed=2), prose()]:
        assert ours.encode_ordinary(text) == reference.encode_ordinary(text)
    text = f"{END_OF_TEXT}one{END_OF_TEXT}{END_OF_TEXT} two<|pad|>"
    assert ours.encode(text, "all") == reference.encode(text, allowed_special="all")


def test_same_ids_as_tiktoken_with_gpt2(gpt2):
    import tiktoken

    reference = tiktoken.get_encoding("gpt2")
    for text in [*random_texts(10_000, seed=3), prose()]:
        ids = gpt2.encode_ordinary(text)
        assert ids == reference.encode_ordinary(text)
        assert gpt2.decode(ids) == text
    assert gpt2.encode("Akwirw ier") == [33901, 86, 343, 86, 220, 959]
    assert gpt2.encode(END_OF_TEXT, [END_OF_TEXT]) == [50256]
    assert gpt2.vocab_size == 50257 and gpt2.ids[b"!"] == 0 and gpt2.ids[b"\x00"] == 188


def test_every_character_is_cut_as_tiktoken_cuts_it(ours):
    reference = ours.to_tiktoken()
    for first in [*range(0, 0x3400, 0x100), *range(0xF900, 0x20000, 0x100)]:  # the varied planes
        text = "".join(f"a{chr(c)} 1{chr(c)}b  {chr(c)}!" for c in range(first, first + 0x100))
        assert ours.encode_ordinary(text) == reference.encode_ordinary(text)


def test_every_single_token_decodes(ours):
    for i, token in enumerate(ours.tokens):
        assert ours.decode_bytes([i]) == token
        assert ours.decode([i]) == token.decode(errors="replace")
    ids = ours.encode("😀")
    assert len(ids) > 1 and ours.decode(ids[:1]) == "\ufffd" and ours.decode(ids) == "😀"


def test_ids_may_be_a_tensor(ours):
    assert ours.decode(torch.tensor(ours.encode("one two"))) == "one two"
    with pytest.raises(TypeError):
        ours.decode([1.5])


def test_special_tokens_must_be_allowed(ours):
    text = f"one{END_OF_TEXT}two<|pad|>"
    ids = ours.encode(text, allowed_special={END_OF_TEXT, "<|pad|>"})
    assert ids == [*ours.encode("one"), 1022, *ours.encode("two"), 1023]
    assert ours.decode(ids) == text
    assert ours.encode(text, "all") == ids
    for allowed in ((), {"<|pad|>"}, "<|pad|>"):
        with pytest.raises(ValueError, match=r"'<\|endoftext\|>' in the text is not in allowed"):
            ours.encode(text, allowed)
    plain = ours.encode_ordinary(text)
    assert max(plain) < 1022 and ours.decode(plain) == text


def test_empty(ours):
    assert ours.encode("") == [] and ours.decode([]) == "" and ours.decode_bytes([]) == b""


@pytest.mark.parametrize("bad", [1024, -1, 10**9])
def test_unknown_id(ours, bad):
    with pytest.raises(ValueError, match=f"unknown token id {bad}: the vocabulary has 1024 tokens"):
        ours.decode([1, bad])


def test_lone_surrogate(ours):
    for call in (ours.encode, ours.encode_ordinary, lambda text: BPETokenizer.train(text, 300)):
        with pytest.raises(ValueError, match="position 3: surrogates not allowed"):
            call(f"one{HALF}")


def test_bad_training():
    with pytest.raises(ValueError, match="vocab_size 257: bytes and specials are 258"):
        BPETokenizer.train("one two", 257, ["<a>", "<b>"])
    for text, n in (("", 0), ([], 0), ("one", 2)):
        with pytest.raises(ValueError, match=f"the text is too short: {n} merges, 743 needed"):
            BPETokenizer.train(text, 1000)
    for special in ("<|endoftext|>", [""]):
        with pytest.raises(ValueError, match="special tokens are a list of names, not"):
            BPETokenizer.train("one", 300, special)
    assert BPETokenizer.train("", 256, []).encode("é") == [195, 169]


def test_long_chunks_take_no_quadratic_time(ours):
    rng = random.Random(0)
    for alphabet in ("a", " ", "0123456789", "abcdefghijklmnop"):
        chunk = "".join(rng.choices(alphabet, k=100_000))
        start = time.process_time()
        ids = ours.encode(chunk)
        learn_merges({chunk: 1}, 500)
        assert time.process_time() - start < 10  # about 1 s; a minute if each merge took a scan
        assert ours.decode(ids) == chunk


def test_the_memory_of_chunks_is_bounded():
    plain = BPETokenizer.train("", 257)
    for i in range(70_000):
        plain.encode(f"{i} ")
    plain.encode("a" * 1000)
    assert len(plain.known_chunks) <= 2**16 and "a" * 1000 not in plain.known_chunks
    assert plain.encode("1 ") == [49, 32]


def test_encode_is_fast_enough(ours):
    text = prose()
    ours.encode(text)
    start = time.process_time()
    ours.encode(text)
    assert len(text.encode()) / 1e6 / (time.process_time() - start) > 1  # MB/s; about 7 when idle


# Files


def same(a: BPETokenizer, b: BPETokenizer) -> bool:
    return (a.ids, a.special_tokens, a.tokens) == (b.ids, b.special_tokens, b.tokens)


def test_save_and_load(ours, tmp_path):
    file = tmp_path / "bpe.json"
    ours.save(file)
    assert same(BPETokenizer.load(str(file)), ours) and os.listdir(tmp_path) == ["bpe.json"]
    assert same(pickle.loads(pickle.dumps(ours)), ours)  # a data loader's workers need this


def test_a_vocabulary_in_no_order_is_saved_in_the_order_of_its_ids(ours, tmp_path):
    shuffled = dict(sorted(ours.ids.items(), key=lambda item: item[0][::-1]))
    assert [*shuffled] != [*ours.ids]
    BPETokenizer(shuffled, ours.special_tokens).save(tmp_path / "bpe.json")
    assert same(BPETokenizer.load(tmp_path / "bpe.json"), ours)


def test_special_tokens_may_stand_anywhere(tmp_path):
    """As in a vocabulary that begins with the end of a text."""
    own = {bytes([byte]): byte + 1 + (byte > 99) for byte in range(256)}
    first = BPETokenizer(own, {"<|x|>": 0, "<|y|>": 101})
    first.save(tmp_path / "bpe.json")
    again = BPETokenizer.load(tmp_path / "bpe.json")
    assert same(again, first) and again.encode("<|y|>a<|x|>", "all") == [101, 98, 0]


def test_one_special_token_may_be_allowed_by_its_name():
    bpe = BPETokenizer.train("ab " * 9, 259, ["<|x|>", "<|y|>"])
    assert bpe.encode("a<|x|>", "<|x|>") == bpe.encode("a<|x|>", {"<|x|>"}) == [97, 257]
    with pytest.raises(ValueError, match=r"<\|y\|>"):
        bpe.encode("a<|x|><|y|>", "<|x|>")


def test_a_deeply_nested_file_is_no_vocabulary(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="holds no complete vocabulary"):
        BPETokenizer.load(tmp_path / "deep.json")


def test_two_tokenizers_do_not_share_what_they_remember(ours):
    """Chunks are kept with their ids, but each tokenizer keeps its own."""
    text = "An old miller and his daughter went to the old mill. " * 3
    small = BPETokenizer.train(text, 270)
    for one, other in ((ours, small), (small, ours)):
        ids = one.encode(text)
        assert other.encode(text) != ids and one.encode(text) == ids
        assert one.decode(ids) == other.decode(other.encode(text)) == text


def test_save_and_load_gpt2(gpt2, tmp_path):
    gpt2.save(tmp_path / "gpt2.json")
    assert same(BPETokenizer.load(tmp_path / "gpt2.json"), gpt2)


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_a_failed_save_leaves_the_old_file(ours, tmp_path, monkeypatch, name):
    def disk_full(*args):
        raise OSError(28, "No space left on device")

    file = tmp_path / "bpe.json"
    ours.save(file)
    before = file.read_bytes()
    monkeypatch.setattr(os, name, disk_full)
    with pytest.raises(OSError, match="No space left"):
        BPETokenizer.train("", 257).save(file)
    assert file.read_bytes() == before and os.listdir(tmp_path) == ["bpe.json"]


def test_truncated_file(ours, tmp_path):
    file = tmp_path / "bpe.json"
    ours.save(file)
    whole = file.read_bytes()
    for size in (0, 1, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"bpe\.json holds no complete vocabulary"):
            BPETokenizer.load(file)
    with pytest.raises(FileNotFoundError):
        BPETokenizer.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda saved: saved.pop("tokens"), "KeyError"),
        (lambda saved: saved["tokens"].pop(), "1023 tokens need the ids 0 to 1022"),
        (lambda saved: saved["tokens"].pop(7), "1023 tokens need the ids 0 to 1022"),
        (lambda saved: saved["tokens"].append(saved["tokens"][300]), "need the ids"),
        (lambda saved: saved["tokens"].__setitem__(7, "ab"), "these are missing: .7."),
        (lambda saved: saved["tokens"].__setitem__(900, "qzqz"), "token 900, b'qzqz', is not made"),
        (lambda saved: saved["tokens"].__setitem__(900, "漢"), "latin-1"),
        (lambda saved: saved["tokens"].__setitem__(900, None), "AttributeError"),
        (lambda saved: saved["special_tokens"].update(more="1024"), "TypeError"),
        (lambda saved: saved.update(special_tokens=None), "AttributeError"),
    ],
)
def test_inconsistent_file(ours, tmp_path, damage, message):
    file = tmp_path / "bpe.json"
    ours.save(file)
    saved = json.loads(file.read_text())
    damage(saved)
    file.write_text(json.dumps(saved))
    with pytest.raises(ValueError, match=f"bpe.json holds no complete vocabulary.*{message}"):
        BPETokenizer.load(file)


def test_chunks_are_the_text():
    for text in [*random_texts(2000, seed=4), prose()]:
        assert "".join(split_chunks(text)) == text
    assert CHUNKS in BPETokenizer.train("", 257).to_tiktoken()._pat_str


def test_words_beside_special_tokens():
    words = WordTokenizer.train(f"one{END_OF_TEXT}two", [END_OF_TEXT])
    assert words.words == ["one", "two", END_OF_TEXT]
    assert words.encode(f"two{END_OF_TEXT}one") == [1, 2, 0]


def test_a_string_allows_no_part_of_itself():
    bpe = BPETokenizer.train("ab" * 9, 258, ["<a>"])
    with pytest.raises(ValueError, match="not in allowed_special"):
        bpe.encode("<a>", allowed_special="x<a>y")
