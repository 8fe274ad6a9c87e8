"""Real data and weights that the book uses where they can be had.

Nothing here is part of the book, and nothing is fetched before somebody asks for it by name. A file
is looked for in the folder `LLM_BOOK_DATA`, then in the cache (`LLM_BOOK_CACHE`, or the system's
folder for caches), then downloaded; it is used only if its checksum is right. What is here:
python -m shared.book.data
"""

import os
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import pooch
import tiktoken

from shared.book.files import whole_file
from shared.book.sources import SOURCES, VOCABULARY, Source


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
