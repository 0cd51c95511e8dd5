"""`python -m runner`: one worker process, alone or under a supervisor.

    python -m runner --host 127.0.0.1 --port 8422        alone
    python -m runner --fd N --board-fd B --life-fd L     as `runner.supervisor` starts it

What the first answer does not need is imported beside it, once the worker serves.

Settings come from the environment (`oriel.settings`). When the other end of the life pipe is closed, the worker
stops: at first politely, then for certain.
"""

from oriel.starting import started  # before anything that is large

# isort: split

import argparse
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence

import uvicorn

from oriel import telemetry
from oriel.errors import OrielError
from oriel.keyring import Keyring
from oriel.settings import Settings
from runner.assembly import build_app
from runner.board import Board

_log = logging.getLogger(__name__)

GRACE_SECONDS = 5


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop; the exit code."""
    options = _options(arguments)
    try:
        settings = Settings.load()
        telemetry.configure(settings.log_level)
        board = Board(options.board_fd) if options.board_fd is not None else None
        app, runner = build_app(settings, Keyring.open(settings.keyring_path), board)
    except OrielError as error:
        print(error.diagnostics(), file=sys.stderr)
        return 1
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    if options.life_fd is not None:
        threading.Thread(target=_stop_at_end_of, args=(options.life_fd, server), daemon=True).start()
    started()
    if board is not None:
        board.mark_ready()
    threading.Thread(target=_warm, args=(settings,), name="warm", daemon=True).start()
    try:
        server.run(sockets=None if options.fd is None else [socket.socket(fileno=options.fd)])
    finally:
        runner.close()
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m runner", description="One worker of Oriel's runner.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8422)
    parser.add_argument("--fd", type=int, help="a listening socket, in place of an address")
    parser.add_argument("--board-fd", type=int, help="a memory file for what the worker is busy with")
    parser.add_argument("--life-fd", type=int, help="a pipe whose end is the worker's end")
    return parser.parse_args(arguments)


def _warm(settings: Settings) -> None:
    """Load the store's library and see that it opens, before a guest waits for it."""
    from oriel.store.opening import open_store

    try:
        open_store(settings.store_url).close()
    except OrielError:
        _log.exception("the store does not open")


def _stop_at_end_of(pipe: int, server: uvicorn.Server) -> None:
    os.read(pipe, 1)  # nobody writes: it returns when the supervisor has closed it, or is gone
    server.should_exit = True
    time.sleep(GRACE_SECONDS + 2)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
