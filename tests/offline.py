"""Run a command without a network, where Linux lets us:  python -m tests.offline make test

Its own machine is all that it can reach. Where the network can't be cut, it runs all the same, and
a line says so.
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

NEW_USER, NEW_NET = 0x10000000, 0x40000000  # of Linux's clone(2)
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1  # of netdevice(7)


def cut() -> bool:
    """Leave this process, and those that it starts, with the loopback device alone."""
    if sys.platform != "linux":
        return False
    libc, user, group = ctypes.CDLL(None), os.getuid(), os.getgid()
    if libc.unshare(NEW_NET):  # only root may; another user needs a namespace of users too
        if libc.unshare(NEW_USER | NEW_NET):
            return False
        for name, text in {
            "setgroups": "deny",
            "uid_map": f"{user} {user} 1",
            "gid_map": f"{group} {group} 1",
        }.items():
            Path(f"/proc/self/{name}").write_text(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags = fcntl.ioctl(any_socket, GET_FLAGS, struct.pack("16sh14x", b"lo", 0))
        (value,) = struct.unpack("16xh14x", flags)
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", value | UP))
    return True


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("say which command: python -m tests.offline make test")
    print("The network is cut." if cut() else "The network can't be cut here.", flush=True)
    os.execvp(sys.argv[1], sys.argv[1:])
