"""A worker for the supervisor's tests: answers each connection with its process id; `hold` first enters the board."""

import os
import socket
import sys
import threading

from oriel.contract import ExecutionContext
from runner.board import Board

options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
listener = socket.socket(fileno=int(options["--fd"]))
board = Board(int(options["--board-fd"]))
CONTEXT = ExecutionContext(
    request_id="req_1",
    execution_id="exe_held",
    tenant_id="acme",
    extension_id="com.acme.reports",
    install_id="ins_1",
    version_id="ver_1",
    version="1.0.0",
    content_hash="sha256:" + "c" * 64,
)


def stop_at_end_of(pipe):
    os.read(pipe, 1)
    if "--deaf" not in options:
        os._exit(0)


threading.Thread(target=stop_at_end_of, args=(int(options["--life-fd"]),), daemon=True).start()
board.mark_ready()
while True:
    connection, _ = listener.accept()
    with connection:
        if connection.recv(16) == b"hold":
            with board.inside(CONTEXT):
                connection.sendall(str(os.getpid()).encode())
                connection.recv(1)
        else:
            connection.sendall(str(os.getpid()).encode())
