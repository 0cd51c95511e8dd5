"""Connections to screened addresses.

Rules kept here:

- A name is resolved once for a connection. Every answer is screened; one that is refused refuses the name, since
  whoever answers with a good and a bad address means the bad one. The connection goes to one of these very
  addresses, so a second, different answer has nowhere to come in.
- TLS speaks to the name: SNI and the certificate's check are for the host of the URL.
- Connecting, TLS and every single read and write take their timeout from the one deadline.
"""

import contextlib
import functools
import logging
import select
import socket
import ssl
from collections.abc import Iterator, Sequence

from runner.egress.addresses import Address, AddressScreen
from runner.egress.model import Deadline, EgressError
from runner.egress.resolver import Resolver
from runner.egress.urls import Origin

READ_BYTES = 65_536
_log = logging.getLogger("oriel.egress")


class Channel:
    """A connected socket, plain or TLS, whose every operation ends by a deadline."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all of it. `EgressError`: `timeout`; `OSError` where the other side has gone."""
        view = memoryview(data)
        with _in_time():
            while view:
                self._socket.settimeout(deadline.remaining())
                view = view[self._socket.send(view) :]

    def receive(self, deadline: Deadline) -> bytes:
        """What has come, empty at the end. `EgressError`: `timeout`; `OSError` where the connection broke."""
        with _in_time():
            self._socket.settimeout(deadline.remaining())
            return self._socket.recv(READ_BYTES)

    def is_quiet(self) -> bool:
        """Whether nothing has come while nobody asked: neither the end nor bytes of nobody's answer."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        self._socket.close()


class Dialer:
    """Opens channels. `tls` None means the system's certificate authorities."""

    def __init__(self, resolver: Resolver, screen: AddressScreen, tls: ssl.SSLContext | None = None) -> None:
        self._resolver = resolver
        self._screen = screen
        self._given_tls = tls

    def dial(self, origin: Origin, deadline: Deadline) -> Channel:
        """Connect to `origin`.

        Raises:
            EgressError: `denied`, `dns`, `connect`, `tls`, `timeout`.
        """
        addresses = self._screened(origin, deadline)
        connected = _connect(addresses, origin, deadline)
        if origin.scheme == "https":
            connected = self._secure(connected, origin.host, deadline)
        return Channel(connected)

    def _screened(self, origin: Origin, deadline: Deadline) -> Sequence[Address]:
        addresses = self._resolver.resolve(origin.host, origin.port, deadline.remaining())
        if not addresses:
            raise EgressError("dns", f"{origin.host} has no address.")
        for address in addresses:
            kind = self._screen.refusal(address, origin.port)
            if kind is not None:
                _log.warning("egress refused", extra={"host": origin.host, "address": str(address), "kind": kind})
                raise EgressError("denied", f"{origin.host} leads to an address that is not on the public internet.")
        return addresses

    def _secure(self, connected: socket.socket, host: str, deadline: Deadline) -> socket.socket:
        try:
            connected.settimeout(deadline.remaining())
            return self._tls.wrap_socket(connected, server_hostname=host)
        except BaseException as error:
            connected.close()
            if isinstance(error, TimeoutError):
                raise EgressError("timeout", f"{host} did not finish TLS in time.") from None
            if isinstance(error, ssl.SSLCertVerificationError):
                raise EgressError("tls", f"The certificate of {host} is refused: {error.verify_message}.") from None
            if isinstance(error, OSError):
                reason = getattr(error, "reason", None) or "the connection ended"
                raise EgressError("tls", f"No TLS with {host}: {reason}.") from None
            raise

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        if self._given_tls is not None:
            return self._given_tls
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context


def _connect(addresses: Sequence[Address], origin: Origin, deadline: Deadline) -> socket.socket:
    """Try one address after the other, each with its share of what time is left."""
    reason = "no answer"
    for at, address in enumerate(addresses):
        share = deadline.remaining() / (len(addresses) - at)
        try:
            return _connected(address, origin.port, share)
        except OSError as error:
            reason = error.strerror or reason
    deadline.remaining()
    raise EgressError("connect", f"{origin} cannot be reached: {reason}.")


def _connected(address: Address, port: int, timeout: float) -> socket.socket:
    candidate = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        candidate.settimeout(timeout)
        candidate.connect((str(address), port))
        candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        candidate.close()
        raise
    return candidate


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise EgressError("timeout", "The other side did not answer in time.") from None
