"""Where the real data and weights come from that the book uses, and what their bytes are."""

from dataclasses import dataclass

VOCABULARY = "gpt2-vocabulary"  # tiktoken fetches and checks GPT-2's two tables itself
GITHUB = "https://raw.githubusercontent.com"
HUB = (
    "https://huggingface.co/openai-community/gpt2/resolve/607a30d783dfa663caf39e06633721c8d4cfcd7e"
)


@dataclass(frozen=True)
class Source:
    """Where a file comes from, and the SHA-256 checksum of its bytes."""

    file: str
    url: str
    sha256: str
    licence: str
    archive: str | None = None  # checksum of the zip that holds the file, if one does


SOURCES = {
    "the-verdict": Source(
        "the-verdict.txt",
        f"{GITHUB}/rasbt/LLMs-from-scratch/main/ch02/01_main-chapter-code/the-verdict.txt",
        "b41e41a68f0398a3154ae69e2e4c0e2694e17fe0d66730536837f1b01935b31f",
        "public domain (Edith Wharton, 1908)",
    ),
    "SMSSpamCollection": Source(
        "SMSSpamCollection",
        "https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip",
        "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d",
        "CC BY 4.0 (Almeida and Hidalgo, 2011)",
        archive="1587ea43e58e82b14ff1f5425c88e17f8496bfcdb67a583dbff9eefaf9963ce3",
    ),
    "instruction-data": Source(
        "instruction-data.json",
        f"{GITHUB}/rasbt/LLMs-from-scratch/main/ch07/01_main-chapter-code/instruction-data.json",
        "7e09a9af353722ca15c18bc580f093f9c39d3178335a75177319cb1e1d163944",
        "Apache-2.0",
    ),
    "tinyshakespeare": Source(
        "tinyshakespeare.txt",
        f"{GITHUB}/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        "public domain",
    ),
    "gpt2-weights": Source(
        "gpt2-model.safetensors",
        f"{HUB}/model.safetensors",
        "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
        "MIT (OpenAI, 2019)",
    ),
}
