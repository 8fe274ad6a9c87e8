"""A server for a model, with the API that OpenAI's clients speak.

    python -m shared.practice.serve --model runs/mine

It is for programs on this computer; others reach it with --host 0.0.0.0. If LLM_BOOK_KEY is set,
that is the key which a client has to send.
"""

import argparse
import os
from pathlib import Path

import torch
import uvicorn

from shared.model import CHECKPOINTS, load_run
from shared.serving.app import make_app
from shared.serving.http import USUAL, Limits


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m shared.practice.serve", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--model", type=Path, default=CHECKPOINTS, help="a folder (the book's)")
    parser.add_argument("--host", default="127.0.0.1", help="who may connect (this computer)")
    parser.add_argument("--port", type=int, default=8000, help="(8000)")
    parser.add_argument("--running", type=int, default=USUAL.running, help="at once (16)")
    parser.add_argument("--waiting", type=int, default=USUAL.waiting, help="in the line (64)")
    parser.add_argument("--seconds", type=float, default=USUAL.seconds, help="per answer (60)")
    parser.add_argument("--threads", type=int, default=1, help="1 is best for small models (1)")
    parser.add_argument(
        "--origin", action="append", default=[], help="a page elsewhere that may use the server"
    )
    return parser.parse_args(arguments)


def main() -> None:
    """Serve until stopped."""
    options = read_options()
    torch.set_num_threads(options.threads)
    key = os.environ.get("LLM_BOOK_KEY", "")
    limits = (options.running, options.waiting, options.seconds, key, tuple(options.origin))
    try:
        model, tokenizer = load_run(options.model)
        limits = Limits(*limits)
    except ValueError as error:
        raise SystemExit(f"{error}") from error
    name = "tales" if options.model == CHECKPOINTS else options.model.resolve().name
    print(f"{name}: http://{options.host}:{options.port}/", flush=True)
    app = make_app(model, tokenizer, name, limits)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
