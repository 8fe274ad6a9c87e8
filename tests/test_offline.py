"""A command without a network reaches itself, and nothing else."""

import subprocess
import sys

import pytest

from tests.notebooks import ROOT

TRY = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname(), 2).close()
    print("itself")
try:
    socket.create_connection(("192.0.2.1", 80), 1)
except OSError as error:
    print(error)
"""


def test_nothing_but_itself_is_reached():
    command = [sys.executable, "-m", "tests.offline", sys.executable, "-c", TRY]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    first, *rest = ran.stdout.splitlines()
    if first != "The network is cut.":
        pytest.skip(first)
    assert rest == ["itself", "[Errno 101] Network is unreachable"], ran


def test_its_exit_status_is_the_command_s():
    command = [sys.executable, "-m", "tests.offline", sys.executable, "-c", "raise SystemExit(7)"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 7
