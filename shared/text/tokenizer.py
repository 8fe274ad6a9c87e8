"""`BPETokenizer`, as derived in chapter 2: it cuts as GPT-2 does and can write down any text."""

import json
from collections.abc import Collection, Iterable
from itertools import chain
from pathlib import Path

import tiktoken

from shared.book import whole_file
from shared.text.bpe import apply_merges, learn_merges
from shared.text.chunks import CHUNKS, count_chunks, split_chunks
from shared.text.words import check_ids, split_special

END_OF_TEXT = "<|endoftext|>"
USER, ASSISTANT, END_OF_TURN = "<|user|>", "<|assistant|>", "<|end|>"  # of a chat, chapter 7
SPECIAL_TOKENS = (END_OF_TEXT, USER, ASSISTANT, END_OF_TURN)


def check_ranks(ids: dict[bytes, int]) -> None:
    """Raises ValueError if a byte has no id, or a token is not made of two with lower ids."""
    if missing := [byte for byte in range(256) if bytes([byte]) not in ids]:
        raise ValueError(f"a vocabulary needs all 256 bytes; these are missing: {missing}")
    for token, i in ids.items():
        halves = [(token[:k], token[k:]) for k in range(1, len(token))]
        if halves and not any(max(ids.get(a, i), ids.get(b, i)) < i for a, b in halves):
            raise ValueError(f"token {i}, {token!r}, is not made of two tokens with lower ids")


class Vocabulary:
    """Tokens and their ids, 0 ... vocab_size - 1: `ids` for bytes, `special_tokens` for names."""

    def __init__(self, ids: dict[bytes, int], special_tokens: dict[str, int]):
        self.ids, self.special_tokens = ids, special_tokens
        self.vocab_size = len(ids) + len(special_tokens)
        names = {name.encode(): i for name, i in special_tokens.items()}
        table = {i: token for token, i in [*ids.items(), *names.items()]}
        if sorted(table) != list(range(self.vocab_size)):
            raise ValueError(f"{self.vocab_size} tokens need the ids 0 to {self.vocab_size - 1}")
        self.tokens = [table[i] for i in range(self.vocab_size)]

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The tokens' bytes, exactly. Raises ValueError on an unknown id."""
        return b"".join(self.tokens[i] for i in check_ids(ids, self.vocab_size))

    def decode(self, ids: Iterable[int]) -> str:
        """The text; bytes that are no UTF-8, such as half a character, become U+FFFD."""
        return self.decode_bytes(ids).decode(errors="replace")

    def save(self, path: str | Path) -> None:
        """Write a JSON file: the tokens in the order of their ids, one character for each byte."""
        tokens = [token.decode("latin-1") for token in sorted(self.ids, key=self.ids.get)]
        saved = {"tokens": tokens, "special_tokens": self.special_tokens}
        with whole_file(path) as file:
            file.write(json.dumps(saved, indent=0).encode())

    @classmethod
    def load(cls, path: str | Path):
        """Read what `save` wrote. Raises ValueError if the file is damaged."""
        try:
            saved = json.loads(Path(path).read_bytes())
            tokens = [token.encode("latin-1") for token in saved["tokens"]]
            taken = {*saved["special_tokens"].values()}  # wherever they stand
            free = (i for i in range(len(tokens) + len(taken)) if i not in taken)
            return cls(dict(zip(tokens, free, strict=False)), saved["special_tokens"])
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(f"{path} holds no complete vocabulary: {error!r}") from error


class KnownChunks(dict):
    """The ids of chunks met before, of which most of a text is made: of the short ones, 2**16."""

    def __init__(self, ids: dict[bytes, int]):
        self.ids = ids

    def __missing__(self, chunk: str) -> list[int]:
        whole = chunk.encode()
        parts = [whole] if whole in self.ids else apply_merges(whole, self.ids)
        found = [self.ids[part] for part in parts]
        if len(self) == 2**16:
            self.clear()
        if len(chunk) <= 32:
            self[chunk] = found
        return found


class BPEEncoder(Vocabulary):
    """From text to ids with GPT-2's chunks. A token's id is its rank: lower ids merge first."""

    def __init__(self, ids: dict[bytes, int], special_tokens: dict[str, int]):
        super().__init__(ids, special_tokens)
        check_ranks(ids)
        self.known_chunks = KnownChunks(ids)

    def encode(self, text: str, allowed_special: str | Collection[str] = ()) -> list[int]:
        """Token ids. Raises ValueError on a special token that is not in `allowed_special`.

        "all" allows all of them, a name this one; `encode_ordinary` reads them as plain text.
        """
        allowed = [allowed_special] if isinstance(allowed_special, str) else [*allowed_special]
        ids = []
        for piece in split_special(text, self.special_tokens):
            if piece not in self.special_tokens:
                ids += self.encode_ordinary(piece)
            elif allowed == ["all"] or piece in allowed:
                ids.append(self.special_tokens[piece])
            else:
                raise ValueError(f"special token {piece!r} in the text is not in allowed_special")
        return ids

    def encode_ordinary(self, text: str) -> list[int]:
        """Token ids of plain text: special tokens are characters like any others."""
        found = map(self.known_chunks.__getitem__, split_chunks(text))
        return [*chain.from_iterable(found)]


class BPETokenizer(BPEEncoder):
    """Byte-level BPE: any text to ids and exactly back, with a vocabulary learned from text."""

    @classmethod
    def train(cls, texts, vocab_size: int, special_tokens: Collection[str] = (END_OF_TEXT,)):
        """Learn from texts (see `count_chunks`): 256 bytes, the merges, then special tokens."""
        n_merges = vocab_size - 256 - len(special_tokens)
        if n_merges < 0:
            raise ValueError(
                f"vocab_size {vocab_size}: bytes and specials are {vocab_size - n_merges}"
            )
        merges = learn_merges(count_chunks(texts, special_tokens), n_merges)
        if len(merges) < n_merges:
            raise ValueError(f"the text is too short: {len(merges)} merges, {n_merges} needed")
        tokens = [bytes([byte]) for byte in range(256)] + [a + b for a, b in merges]
        ids = {token: i for i, token in enumerate(tokens)}
        return cls(ids, {name: i for i, name in enumerate(special_tokens, len(ids))})

    @classmethod
    def from_gpt2(cls):
        """GPT-2's own vocabulary of 50,257 tokens, from the tables that tiktoken fetches."""
        gpt2 = tiktoken.get_encoding("gpt2")
        ids = {gpt2.decode_single_token_bytes(i): i for i in range(gpt2.eot_token)}
        return cls(ids, {END_OF_TEXT: gpt2.eot_token})

    def to_tiktoken(self) -> tiktoken.Encoding:
        """The same ids from tiktoken, in Rust, which gives up on a million spaces in a row."""
        arguments = {"mergeable_ranks": self.ids, "special_tokens": self.special_tokens}
        return tiktoken.Encoding("bpe", pat_str=CHUNKS, **arguments)
