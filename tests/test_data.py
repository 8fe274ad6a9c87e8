"""data.py: found, downloaded, damaged, missing; a server on this machine stands for the network."""

import hashlib
import http.server
import io
import os
import subprocess
import sys
import threading
import zipfile

import pytest
import tiktoken

from shared.book import data
from shared.book.sources import SOURCES, Source

TEXT = b"Once upon a time.\n" * 1000


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def zipped(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("tale.txt", content)
    return buffer.getvalue()


@pytest.fixture
def server():
    """Serves what is put into its dict: {"/path": (content, length that it promises)}."""
    pages, asked = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content, promised = pages.get(self.path, (None, 0))
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(promised))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        pages["asked"], pages["url"] = asked, f"http://127.0.0.1:{running.server_port}"
        yield pages
        running.shutdown()


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch):
    monkeypatch.delenv("LLM_BOOK_DATA", raising=False)
    monkeypatch.setenv("LLM_BOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between pooch's retries
    data.available.cache_clear()
    yield
    data.available.cache_clear()


def register(monkeypatch, url, archive=None):
    monkeypatch.setitem(SOURCES, "tale", Source("tale.txt", url, sha256(TEXT), "CC0", archive))


def cached(tmp_path):
    return sorted(name for _, _, names in os.walk(tmp_path / "cache") for name in names)


def test_download_once(server, tmp_path, monkeypatch):
    server["/tale"] = (TEXT, len(TEXT))
    register(monkeypatch, server["url"] + "/tale")
    assert data.fetch("tale").read_bytes() == TEXT == data.fetch("tale").read_bytes()
    assert server["asked"] == ["/tale"] and cached(tmp_path) == ["tale.txt"]
    assert data.available("tale")


def test_zip(server, tmp_path, monkeypatch):
    archive = zipped(TEXT)
    server["/tale.zip"] = (archive, len(archive))
    register(monkeypatch, server["url"] + "/tale.zip", archive=sha256(archive))
    assert data.fetch("tale").read_bytes() == TEXT == data.fetch("tale").read_bytes()
    assert server["asked"] == ["/tale.zip"] and cached(tmp_path) == ["tale.txt", "tale.txt.zip"]


@pytest.mark.parametrize("left", [b"", TEXT[:5000], TEXT[:-1] + b"?"])
def test_half_unpacked_is_unpacked_again(server, monkeypatch, left):
    """What is left of an unpacking that was killed must not stand in the way for ever."""
    archive = zipped(TEXT)
    server["/tale.zip"] = (archive, len(archive))
    register(monkeypatch, server["url"] + "/tale.zip", archive=sha256(archive))
    data.fetch("tale").write_bytes(left)
    assert data.fetch("tale").read_bytes() == TEXT and server["asked"] == ["/tale.zip"]


def test_unpacking_that_fails_leaves_nothing(server, tmp_path, monkeypatch):
    def full_disk(*arguments):
        raise OSError(28, "No space left on device")

    archive = zipped(TEXT)
    server["/tale.zip"] = (archive, len(archive))
    register(monkeypatch, server["url"] + "/tale.zip", archive=sha256(archive))
    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match=r"tale can't be had: .*No space"):
        data.fetch("tale")
    assert cached(tmp_path) == ["tale.txt.zip"]


def test_zip_with_another_text(server, monkeypatch):
    archive = zipped(TEXT + b"!")
    server["/tale.zip"] = (archive, len(archive))
    register(monkeypatch, server["url"] + "/tale.zip", archive=sha256(archive))
    with pytest.raises(ValueError, match=f"{sha256(TEXT + b'!')}, not {sha256(TEXT)}"):
        data.fetch("tale")


def test_damaged_download(server, tmp_path, monkeypatch):
    server["/tale"] = (TEXT[:-1] + b"?", len(TEXT))
    register(monkeypatch, server["url"] + "/tale")
    with pytest.raises(ValueError, match=sha256(TEXT)):
        data.fetch("tale")
    assert cached(tmp_path) == [] and not data.available("tale")


def test_half_a_download(server, tmp_path, monkeypatch):
    server["/tale"] = (TEXT[:5000], len(TEXT))
    register(monkeypatch, server["url"] + "/tale")
    with pytest.raises((OSError, ValueError)):
        data.fetch("tale")
    assert cached(tmp_path) == []
    server["/tale"] = (TEXT, len(TEXT))
    assert data.fetch("tale").read_bytes() == TEXT


def test_damaged_cache_is_replaced(server, tmp_path, monkeypatch):
    server["/tale"] = (TEXT, len(TEXT))
    register(monkeypatch, server["url"] + "/tale")
    data.fetch("tale").write_bytes(TEXT[:100])
    assert data.fetch("tale").read_bytes() == TEXT


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/tale", "{server}/nothing-here"])
def test_no_network_or_no_file(server, tmp_path, monkeypatch, url):
    register(monkeypatch, url.format(server=server["url"]))
    with pytest.raises(OSError, match=r"tale can't be had: .*tale.txt .* LLM_BOOK_DATA"):
        data.fetch("tale")
    assert not data.available("tale") and cached(tmp_path) == []


def test_a_folder_of_ones_own_comes_first(tmp_path, monkeypatch):
    register(monkeypatch, "http://127.0.0.1:9/tale")
    monkeypatch.setenv("LLM_BOOK_DATA", str(tmp_path))
    (tmp_path / "tale.txt").write_bytes(TEXT)
    assert data.fetch("tale") == tmp_path / "tale.txt"
    (tmp_path / "tale.txt").write_bytes(TEXT[:-1])
    with pytest.raises(ValueError, match=f"{sha256(TEXT[:-1])}, not {sha256(TEXT)}"):
        data.fetch("tale")


def test_cache_that_cannot_be_written(server, tmp_path, monkeypatch):
    server["/tale"] = (TEXT, len(TEXT))
    register(monkeypatch, server["url"] + "/tale")
    (tmp_path / "cache").write_text("a file stands where the folder should be")
    with pytest.raises(OSError, match=r"tale can't be had: .*cache"):
        data.fetch("tale")


def test_available_asks_once(server, monkeypatch):
    server["/tale"] = (TEXT, len(TEXT))
    register(monkeypatch, server["url"] + "/tale")
    assert data.available("tale")
    data.fetch("tale").unlink()
    assert data.available("tale") and server["asked"] == ["/tale"]


@pytest.mark.parametrize("problem", [None, ConnectionError("no network"), ValueError("damaged")])
def test_the_vocabulary_comes_from_tiktoken(monkeypatch, problem):
    def get_encoding(name):
        assert name == "gpt2"
        if problem:
            raise problem

    monkeypatch.setattr(tiktoken, "get_encoding", get_encoding)
    assert data.available("gpt2-vocabulary") == (problem is None)


@pytest.mark.parametrize(
    ("content", "said"),
    [(TEXT, "{path}"), (TEXT[:9], "is damaged: its SHA-256 is"), (None, "not here yet")],
)
@pytest.mark.parametrize("variable", ["LLM_BOOK_DATA", "LLM_BOOK_CACHE"])
def test_table(server, tmp_path, monkeypatch, capsys, variable, content, said):
    server["/tale"] = (TEXT, len(TEXT))
    register(monkeypatch, server["url"] + "/tale")
    monkeypatch.setenv(variable, str(tmp_path))
    if content is not None:
        (tmp_path / "tale.txt").write_bytes(content)
    data.main()
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert list(lines) == [*SOURCES, "gpt2-vocabulary"] and server["asked"] == []
    assert "CC0" in lines["tale"] and said.format(path=tmp_path / "tale.txt") in lines["tale"]


def test_import_fetches_and_prints_nothing(tmp_path):
    watch = "lambda event, _: event in ('socket.connect', 'socket.getaddrinfo') and os._exit(9)"
    code = f"import os, sys; sys.addaudithook({watch}); import shared.book.data"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not (tmp_path / "cache").exists()


def test_unknown_names():
    for ask in (data.fetch, data.available):
        with pytest.raises(ValueError, match="unknown data 'the-verdit'; there are the-verdict"):
            ask("the-verdit")


def test_the_registry():
    for source in SOURCES.values():
        assert source.url.startswith("https://") and source.licence
        for checksum in filter(None, (source.sha256, source.archive)):
            assert len(checksum) == 64 and int(checksum, 16)
    assert len({source.file for source in SOURCES.values()}) == len(SOURCES)


def test_the_real_files_that_are_here(monkeypatch):
    monkeypatch.undo()
    facts = {"the-verdict": 20_479, "SMSSpamCollection": 477_907, "tinyshakespeare": 1_115_394}
    folder = os.environ.get("LLM_BOOK_DATA")
    if not folder:
        pytest.skip("LLM_BOOK_DATA names no folder with the real files")
    for name, size in facts.items():
        assert data.fetch(name).stat().st_size == size
