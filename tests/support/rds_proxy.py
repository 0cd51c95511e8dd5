"""RDS Proxy on loopback, before the PostgreSQL server of this process.

It does what a function meets of the real one: TLS with a certificate for the host's name, and in place of a password a
token that IAM made for this host and this user not longer than 15 minutes ago. It then connects as that user, and
passes on what both say. It can drop its clients, as the real one does with idle ones.
"""

import contextlib
import hmac
import select
import socket
import socketserver
import ssl
import struct
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.serialization import Encoding

from oriel.aws import Credentials
from oriel.store.sql.rds import RdsTarget, auth_token
from tests.runner.egress.servers import Authority

HOST = "localhost"
TLS_REQUEST, GSS_REQUEST, PROTOCOL_3 = 80877103, 80877104, 196608
FORM = "%Y%m%dT%H%M%SZ"


class RdsProxy:
    """Use it in a `with`.

    Args:
        socket_path: of the PostgreSQL server.
        credentials: whose tokens are good.
        folder: where the authority's certificate goes, as `roots`.
    """

    def __init__(self, socket_path: Path, credentials: Credentials, region: str, folder: Path) -> None:
        self._socket_path, self._credentials, self._region = socket_path, credentials, region
        authority = Authority(folder)
        self.roots = str(folder / "roots.pem")
        Path(self.roots).write_bytes(authority.certificate.public_bytes(Encoding.PEM))
        self._tls = authority.server(HOST)
        self.users: list[str] = []
        self.refused: list[str] = []
        self._open: set[socket.socket] = set()

    def __enter__(self) -> "RdsProxy":
        proxy = self

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError, ssl.SSLError):
                    proxy._serve(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self.drop_clients()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def store(self, database: str, user: str) -> str:
        """What `ORIEL_STORE` has to be."""
        return f"rds:{HOST}:{self.port}/{database}?user={user}&region={self._region}&roots={self.roots}"

    def drop_clients(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self, plain: socket.socket) -> None:
        while (kind := struct.unpack("!ii", _exactly(plain, 8))[1]) == GSS_REQUEST:
            plain.sendall(b"N")
        if kind != TLS_REQUEST:
            plain.sendall(_error("28000", "This RDS proxy requires TLS connections"))
            return
        plain.sendall(b"S")
        with self._tls.wrap_socket(plain, server_side=True) as client:
            (length,) = struct.unpack("!i", _exactly(client, 4))
            startup = _exactly(client, length - 4)
            words = startup[4:].rstrip(b"\0").split(b"\0")
            asked = dict(zip(words[::2], words[1::2], strict=True))
            client.sendall(b"R" + struct.pack("!ii", 8, 3))  # a password in clear, inside of TLS
            (length,) = struct.unpack("!xi", _exactly(client, 5))
            token = _exactly(client, length - 4).rstrip(b"\0").decode()
            user = asked[b"user"].decode()
            if not self._is_good(token, user):
                self.refused.append(user)
                client.sendall(_error("28000", f"The IAM authentication failed for the role {user}"))
                return
            self.users.append(user)
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(str(self._socket_path))
                server.sendall(struct.pack("!ii", len(startup) + 4, PROTOCOL_3) + startup[4:])
                self._open.add(client)
                _both_ways(client, server)
                self._open.discard(client)

    def _is_good(self, token: str, user: str) -> bool:
        stamp = parse_qs(token.partition("?")[2]).get("X-Amz-Date", [""])[0]
        target = RdsTarget(HOST, self.port, "", user, self._region, "")
        try:
            age = time.time() - datetime.strptime(stamp, FORM).replace(tzinfo=UTC).timestamp()
        except ValueError:
            return False
        expected = auth_token(target, self._credentials, stamp=stamp)
        return -60 < age < 900 and hmac.compare_digest(token, expected)


def _both_ways(client: ssl.SSLSocket, server: socket.socket) -> None:
    """Pass on what comes from either until one of them has ended."""
    while True:
        readable = [client] if client.pending() else select.select([client, server], [], [])[0]
        for source in readable:
            data = source.recv(65_536)
            if not data:
                return
            (server if source is client else client).sendall(data)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def _error(code: str, message: str) -> bytes:
    fields = f"SFATAL\0VFATAL\0C{code}\0M{message}\0\0".encode()
    return b"E" + struct.pack("!i", len(fields) + 4) + fields
