"""PostgreSQL in RDS or Aurora, reached as a role of IAM's: `rds:HOST[:PORT]/DATABASE?user=USER[&region=…&roots=PATH]`.

Rules kept here:

- There is no password. A token stands in its place, made for each connection from the process's own credentials; it
  is good for 15 minutes, and a connection that was made with it for as long as it lives.
- TLS, verified to the host's name, against the roots that RDS Proxy's certificates come from and no others. `roots`
  names other ones: those of RDS, where there is no proxy.
- An execution environment does one thing at a time, so that it keeps one connection. It is made with the first
  transaction, and again where the proxy has closed it or the environment was frozen for long: it is asked before use.

Sources: AWS, "IAM database authentication" and "Connecting to a database through RDS Proxy". The tests compare the
token with botocore's.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct
from sqlalchemy import URL, Engine, create_engine, event

from oriel.aws.credentials import Credentials, source_of
from oriel.aws.signature import presigned_query
from oriel.aws.target import Target
from oriel.errors import Finding, InvalidInput
from oriel.store.sql.postgresql import CONNECT_SECONDS, CONNECTION_LIFETIME_SECONDS, POOL_SECONDS, missing_driver

FORM = "rds:HOST[:PORT]/DATABASE?user=USER[&region=…&roots=PATH]"
ROOTS = Path(__file__).with_name("amazon_roots.pem")
PORT = 5432
TOKEN_SECONDS = 900
MORE_CONNECTIONS = 2  # for what is read inside of a transaction; closed when it is done
_OPTIONS = {"user", "region", "roots"}


class RdsTarget(Struct, frozen=True):
    """A database, and whom to be there. `roots` is a file of certificates in PEM."""

    host: str
    port: int
    database: str
    user: str
    region: str
    roots: str

    @classmethod
    def parse(cls, rest: str, *, setting: str) -> "RdsTarget":
        """What follows `rds:`.

        Raises:
            InvalidInput: `invalid_input`.
        """
        place, _, query = rest.partition("?")
        address, _, database = place.partition("/")
        host, colon, port = address.partition(":")
        pairs = parse_qsl(query, keep_blank_values=True)
        options = dict(pairs)
        named = host and database and options.get("user") and (not colon or port.isdecimal())
        if not named or len(options) != len(pairs) or not options.keys() <= _OPTIONS or "" in options.values():
            finding = Finding(setting, f"{rest!r} is not of the form {FORM}.")
            raise InvalidInput("invalid_input", [finding], subject="The environment")
        region = Target(host, options.get("region")).region_name()
        roots = options.get("roots", str(ROOTS))
        return cls(host, int(port or PORT), database, options["user"], region, roots)


def rds_engine(target: RdsTarget, credentials: Credentials | None = None) -> Engine:
    """An engine; it does not connect.

    Raises:
        InvalidInput: `invalid_input`, where the driver is not installed, or the roots are not there.
    """
    if not os.access(target.roots, os.R_OK):
        finding = Finding("ORIEL_STORE", f"{target.roots} cannot be read: name a file of certificates in PEM.")
        raise InvalidInput("invalid_input", [finding], subject="The environment")
    source = source_of(credentials)
    url = URL.create("postgresql+psycopg", target.user, None, target.host, target.port, target.database)
    given = {"sslmode": "verify-full", "sslrootcert": target.roots, "connect_timeout": CONNECT_SECONDS}
    try:
        engine = create_engine(
            url,
            connect_args={**given, "prepare_threshold": None},
            use_native_hstore=False,
            pool_pre_ping=True,
            pool_size=1,
            max_overflow=MORE_CONNECTIONS,
            pool_timeout=POOL_SECONDS,
            pool_recycle=CONNECTION_LIFETIME_SECONDS,
        )
    except ImportError:
        raise missing_driver() from None

    @event.listens_for(engine, "do_connect")
    def give_token(_dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
        parameters["password"] = auth_token(target, source())

    return engine


def auth_token(target: RdsTarget, credentials: Credentials, *, stamp: str | None = None) -> str:
    """What IAM takes for the password of `target.user`.

    Args:
        stamp: the time of the signature (`20261128T010203Z`); now.
    """
    host = f"{target.host}:{target.port}"
    asked: Mapping[str, str] = {"Action": "connect", "DBUser": target.user}
    query = presigned_query(
        credentials,
        service="rds-db",
        region=target.region,
        host=host,
        query=asked,
        seconds=TOKEN_SECONDS,
        stamp=stamp,
    )
    return f"{host}/?{query}"
