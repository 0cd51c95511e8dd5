"""Real servers on loopback, a resolver that answers what a test says, and a certificate authority."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from runner.egress.model import EgressError

LOOPBACK = "127.0.0.1"


class Names:
    """A resolver. A name has a list of answers, one a lookup; the last one stays."""

    def __init__(self):
        self.answers = {}
        self.asked = []

    def set(self, host, *answers):
        self.answers[host] = [[ipaddress.ip_address(address) for address in answer] for answer in answers]

    def resolve(self, host, port, timeout):
        self.asked.append(host)
        answers = self.answers.get(host)
        if answers is None:
            raise EgressError("dns", f"{host} has no address.")
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Server:
    """Reads requests and answers each with what `script(request)` gives: bytes, or an iterator of them.

    `script` returning None closes the connection. `requests` are the heads and bodies, as they came.
    """

    def __init__(self, script, tls=None):
        self.script = script
        self.tls = tls
        self.requests = []
        self.connections = 0
        self.stopped = threading.Event()
        self.socket = socket.create_server((LOOPBACK, 0))
        self.port = self.socket.getsockname()[1]
        self.open = []
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self.threads.append(thread)
            thread.start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), contextlib.closing(connection):
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self.open.append(connection)
            while (request := _read_request(connection)) is not None:
                self.requests.append(request)
                answer = self.script(request)
                if answer is None:
                    connection.close()
                    return
                for part in [answer] if isinstance(answer, bytes) else answer:
                    if self.stopped.is_set():
                        return
                    connection.sendall(part)
                if not isinstance(answer, bytes):
                    return

    def stop_listening(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def stop(self):
        self.stopped.set()
        self.stop_listening()
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self.threads:
            thread.join()


def _read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < wanted:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def http(body=b"", status="200 OK", **headers):
    lines = [f"HTTP/1.1 {status}"] + [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


class Authority:
    def __init__(self, folder):
        self.folder = folder
        self.now = dt.datetime.now(dt.UTC)
        self.day = dt.timedelta(days=1)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test Authority")])
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.certificate = (
            self._builder(self.name, self.key.public_key(), self.now - self.day, self.now + self.day)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.client = ssl.create_default_context(cadata=self._pem(self.certificate).decode())

    def server(self, *hosts, expired=False):
        key = ec.generate_private_key(ec.SECP256R1())
        until = self.now - self.day / 2 if expired else self.now + self.day
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hosts[0])])
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            self._builder(subject, key.public_key(), self.now - self.day, until)
            .add_extension(names, critical=False)
            .add_extension(identifier, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        path = self.folder / f"{hosts[0]}-{expired}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(private + self._pem(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _builder(self, subject, key, since, until):
        identifier = x509.SubjectKeyIdentifier.from_public_key(key)
        return (
            x509.CertificateBuilder(self.name, subject, key, x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(identifier, critical=False)
        )

    def _pem(self, certificate):
        return certificate.public_bytes(serialization.Encoding.PEM)


def dripping(start, piece):
    """`start`, and then `piece` every few milliseconds, for ever."""
    yield start
    while True:
        time.sleep(0.01)
        yield piece
