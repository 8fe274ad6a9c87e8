"""The pip option that finds PyTorch without CUDA, if it answers. Runs before installing."""

import platform
import sys
import urllib.request

if __name__ == "__main__" and platform.system() == "Linux":
    try:
        with urllib.request.urlopen(f"{sys.argv[1]}/torch/", timeout=10):
            print("--extra-index-url", sys.argv[1])
    except OSError:
        pass  # pip takes what its own index has
