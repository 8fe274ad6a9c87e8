"""From what a client sends to the ids that the model reads."""

from shared.model import Decoding
from shared.serving.request import (
    Order,
    Refusal,
    check_fields,
    flag,
    number,
    read_json,
    stop_texts,
)
from shared.tasks import prompt_ids
from shared.text import END_OF_TEXT, SPECIAL_TOKENS, BPEEncoder
from shared.world import Instruction

SMALLEST = 1e-3  # of top_p


def words_of(message: dict) -> str:
    """The text of a message, which may come in parts."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    for part in parts:
        if not (isinstance(part, dict) and part.get("type") == "text"):
            raise Refusal(400, "a message can only have parts of type text", "messages")
        if not isinstance(part.get("text"), str):
            raise Refusal(400, "the content of a message should be text", "messages")
    return "".join(part["text"] for part in parts)


def conversation(messages: list[dict]) -> list[Instruction]:
    """The turns of a talk. A system message says what it is about, such as a story."""
    said = [(message.get("role"), words_of(message)) for message in messages]
    given = said.pop(0)[1] if said[0][0] in ("system", "developer") else ""
    roles = [role for role, _ in said]
    if len(said) % 2 == 0 or roles != (["user", "assistant"] * len(said))[: len(said)]:
        raise Refusal(
            400,
            "after a system message, or none, user and assistant should take turns, the user "
            f"first and last; the roles are {', '.join(map(ascii, roles)):.80}",
            "messages",
        )
    asked, answers = [text for _, text in said[::2]], [*(text for _, text in said[1::2]), ""]
    first, *others = map(Instruction, asked, [given] + [""] * len(asked), answers)
    return [first, *others]


def check_length(texts: list[str], tokenizer: BPEEncoder, context_length: int) -> None:
    """Raises Refusal on texts that cannot fit, before the work of cutting them into tokens."""
    longest = max(map(len, tokenizer.tokens))
    n_bytes = sum(len(text.encode()) for text in texts)  # a lone surrogate is a UnicodeError
    if n_bytes > longest * context_length or len(texts) > context_length:
        too_long(f"{n_bytes:,} bytes", context_length)


def too_long(what: str, context_length: int) -> None:
    message = f"the prompt has {what}: the context is {context_length} tokens, answer included"
    raise Refusal(400, message, "prompt", "context_length_exceeded")


def text_ids(body: dict, tokenizer: BPEEncoder, context_length: int) -> list[int]:
    """A text to go on with, read as the beginning of a story."""
    if not isinstance(prompt := body.get("prompt"), str):
        raise Refusal(400, "prompt should be there, and be one text", "prompt")
    check_length([prompt], tokenizer, context_length)
    return [tokenizer.special_tokens[END_OF_TEXT], *tokenizer.encode_ordinary(prompt)]


def chat_ids(body: dict, tokenizer: BPEEncoder, context_length: int) -> list[int]:
    """A talk with the markers of chapter 7; what looks like one in a message is plain text."""
    if missing := [name for name in SPECIAL_TOKENS if name not in tokenizer.special_tokens]:
        raise Refusal(400, f"this model cannot chat: its vocabulary has no {', '.join(missing)}")
    messages = body.get("messages")
    if not (isinstance(messages, list) and messages and all(isinstance(m, dict) for m in messages)):
        raise Refusal(400, "messages should be a list of objects with role and content", "messages")
    check_length([words_of(message) for message in messages], tokenizer, context_length)
    return prompt_ids(tokenizer, conversation(messages))


def read_order(raw: bytes, tokenizer: BPEEncoder, context_length: int, chat: bool) -> Order:
    """What the body of a request asks for. Raises Refusal saying what is wrong with it."""
    body = read_json(raw)
    check_fields(body, chat)
    newer = body.get("max_completion_tokens") if chat else None  # OpenAI's newer name
    body |= {"max_tokens": newer} if newer is not None else {}
    limit = number(body, "max_tokens", context_length, 1, context_length, int)
    decoding = Decoding(
        number(body, "temperature", 1.0, 0, 2), None, number(body, "top_p", 1.0, SMALLEST, 1)
    )
    seed = number(body, "seed", None, 0, 2**63 - 1, int)
    stops, stream = stop_texts(body), flag(body, "stream")
    options = body.get("stream_options", {})
    if not isinstance(options, dict) or options.keys() - {"include_usage"}:
        raise Refusal(400, 'stream_options can only be {"include_usage": ...}', "stream_options")
    usage = flag(options, "include_usage")
    try:
        ids = (chat_ids if chat else text_ids)(body, tokenizer, context_length)
    except ValueError as error:  # half a character, or an empty instruction
        raise Refusal(400, str(error), "messages" if chat else "prompt") from error
    if len(ids) >= context_length:
        too_long(f"{len(ids)} tokens", context_length)
    limit = min(limit, context_length - len(ids))
    return Order(str(body.get("model", "")), ids, limit, decoding, seed, stops, stream, usage)
