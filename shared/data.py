"""Real data and weights that the book uses where they can be had, first in chapter 2.

Nothing here is part of the book, and nothing is fetched before somebody asks for it by name. A file
is looked for in the folder `LLM_BOOK_DATA`, then in the cache (`LLM_BOOK_CACHE`, or the system's
folder for caches), then downloaded; it is used only if its checksum is right.
"""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pooch
import tiktoken

VOCABULARY = "gpt2-vocabulary"  # tiktoken fetches and checks GPT-2's two tables itself
GITHUB = "https://raw.githubusercontent.com"
GPT2 = (
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
        f"{GPT2}/model.safetensors",
        "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
        "MIT (OpenAI, 2019)",
    ),
}


def fetch(name: str) -> Path:
    """The file of that name, checked, downloaded if need be.

    Raises ValueError on an unknown name or a wrong checksum, OSError if the file can't be had.
    """
    if name not in SOURCES:
        raise ValueError(f"unknown data {name!r}; there are {', '.join(SOURCES)}")
    source, folder = SOURCES[name], os.environ.get("LLM_BOOK_DATA")
    if folder and (path := Path(folder) / source.file).is_file():
        return check(path, source.sha256)
    try:
        return download(source)
    except OSError as error:
        raise OSError(
            f"{name} can't be had: {error}. If you have a copy of {source.url}, put it into a "
            f"folder as {source.file} and name the folder in LLM_BOOK_DATA."
        ) from error


def check(path: Path, sha256: str) -> Path:
    """The path, if its bytes have the checksum. Raises ValueError with both checksums if not."""
    if (found := pooch.file_hash(str(path))) != sha256:
        raise ValueError(f"{path} is damaged: its SHA-256 is {found}, not {sha256}")
    return path


def download(source: Source) -> Path:
    """The file in the cache; a download that stops half-way or is damaged leaves nothing there."""
    pooch.get_logger().setLevel("WARNING")
    file = f"{source.file}.zip" if source.archive else source.file
    files = pooch.create(
        path=os.environ.get("LLM_BOOK_CACHE") or pooch.os_cache("language-model-of-your-own"),
        base_url="",
        registry={file: source.archive or source.sha256},
        urls={file: source.url},
        retry_if_failed=2,
    )
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=20)
    unzip = pooch.Unzip(members=[source.file]) if source.archive else None
    path = files.fetch(file, processor=unzip, downloader=downloader)
    return check(Path(path[0]), source.sha256) if unzip else Path(path)


@cache
def available(name: str) -> bool:
    """Whether the file can be had here and now; it is fetched if so. ValueError on a wrong name."""
    if name not in (*SOURCES, VOCABULARY):
        raise ValueError(f"unknown data {name!r}; there are {', '.join([*SOURCES, VOCABULARY])}")
    try:
        tiktoken.get_encoding("gpt2") if name == VOCABULARY else fetch(name)
    except (OSError, ValueError):
        return False
    return True
