"""Names to addresses, in bounded time.

Rules kept here: a lookup costs its caller no more than the time it gives; lookups that hang hold a bounded number of
threads, none of which keeps the process from ending.
"""

import ipaddress
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from runner.egress.addresses import Address
from runner.egress.model import EgressError

MAX_LOOKUPS = 64


class Resolver(Protocol):
    """What tells the addresses of a name."""

    def resolve(self, host: str, port: int, timeout: float) -> Sequence[Address]:
        """All addresses of `host`, within `timeout` seconds.

        Raises:
            EgressError: `dns` where the name has none, `timeout`.
        """
        ...


class SystemResolver:
    """The operating system's resolver.

    `getaddrinfo` cannot be given up, only left alone: each lookup has a thread of its own, and a place of
    `max_lookups` until it ends.
    """

    def __init__(self, max_lookups: int = MAX_LOOKUPS) -> None:
        self._places = threading.BoundedSemaphore(max_lookups)

    def resolve(self, host: str, port: int, timeout: float) -> Sequence[Address]:
        if not self._places.acquire(timeout=timeout):
            raise EgressError("timeout", f"The addresses of {host} were not found in time.")
        found: Future[Sequence[Address]] = Future()
        threading.Thread(target=self._look_up, args=(host, port, found), name="oriel-dns", daemon=True).start()
        try:
            return found.result(timeout)
        except TimeoutError:
            raise EgressError("timeout", f"The addresses of {host} were not found in time.") from None
        except (OSError, UnicodeError):
            raise EgressError("dns", f"{host} has no address.") from None

    def _look_up(self, host: str, port: int, found: Future[Sequence[Address]]) -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result(tuple(dict.fromkeys(ipaddress.ip_address(answer[4][0]) for answer in answers)))
        except Exception as error:
            found.set_exception(error)
        finally:
            self._places.release()
