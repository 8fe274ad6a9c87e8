"""Real data and weights that the book uses where they can be had, first in chapter 2.

Nothing here is part of the book, and nothing is fetched before somebody asks for it by name. A file
is looked for in the folder `LLM_BOOK_DATA`, then in the cache (`LLM_BOOK_CACHE`, or the system's
folder for caches), then downloaded; it is used only if its checksum is right. What is here:
python -m shared.data
"""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import pooch
import tiktoken

from shared.files import whole_file

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
        path=cache_folder(),
        base_url="",
        registry={file: source.archive or source.sha256},
        urls={file: source.url},
        retry_if_failed=2,
    )
    # seconds to connect, and to wait for the next bytes
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=(5, 20))
    path = Path(files.fetch(file, downloader=downloader))
    return unpack(path, source) if source.archive else path


def cache_folder() -> Path:
    return Path(os.environ.get("LLM_BOOK_CACHE") or pooch.os_cache("language-model-of-your-own"))


def unpack(archive: Path, source: Source) -> Path:
    """The file from a zip, put beside it unless it is there already, whole."""
    path = archive.with_name(source.file)
    if not (path.is_file() and pooch.file_hash(str(path)) == source.sha256):
        with ZipFile(archive) as files, whole_file(path) as file:
            file.write(files.read(source.file))
    return check(path, source.sha256)


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


def main() -> None:
    """Print each name, its licence, and where the file is on this machine. Nothing is fetched."""
    for name, source in SOURCES.items():
        folders = filter(None, [os.environ.get("LLM_BOOK_DATA"), cache_folder()])
        paths = (Path(folder) / source.file for folder in folders)
        path = next(filter(Path.is_file, paths), None)
        try:
            where = check(path, source.sha256) if path else "not here yet"
        except ValueError as error:
            where = error
        print(f"{name:18} {source.licence:38} {where}")
    print(f"{VOCABULARY:18} {'MIT (OpenAI, 2019)':38} tiktoken fetches and keeps it")


if __name__ == "__main__":
    main()
