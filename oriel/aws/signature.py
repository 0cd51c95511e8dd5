"""A request signed for AWS: Signature Version 4.

Source: AWS, "Create a signed AWS API request". The tests compare it with botocore's.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode

from oriel.aws.credentials import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"


def signed_headers(
    credentials: Credentials,
    *,
    service: str,
    region: str,
    method: str,
    path: str,
    query: str = "",
    headers: Mapping[str, str],
    body: bytes = b"",
    at: datetime | None = None,
) -> dict[str, str]:
    """`headers` with those that sign the request.

    Args:
        path: as it is sent, percent-encoded.
        query: as it is sent.
        headers: all that are sent, `host` among them.
        at: the time of the signature; now.
    """
    stamp = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    sent = {name.lower(): value for name, value in headers.items()} | {"x-amz-date": stamp}
    if service == "s3":
        sent["x-amz-content-sha256"] = digest
    if credentials.session_token:
        sent["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(sent))
    # Every service but S3 encodes the path it is sent once more.
    canonical_path = path if service == "s3" else quote(path, safe=f"/{_UNRESERVED}")
    lines = [method, canonical_path, _canonical_query(query)]
    lines += [f"{name}:{' '.join(sent[name].split())}" for name in sorted(sent)]
    lines += ["", names, digest]
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    signature = _signature(credentials, lines, stamp, scope)
    given = f"Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return sent | {"authorization": f"{ALGORITHM} {given}"}


def presigned_query(
    credentials: Credentials,
    *,
    service: str,
    region: str,
    host: str,
    query: Mapping[str, str],
    seconds: int,
    stamp: str | None = None,
) -> str:
    """The query of a signed `GET /` that anybody may send to `host` for some seconds.

    Args:
        stamp: the time of the signature (`20261128T010203Z`); now.
    """
    stamp = stamp or datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    named = {
        **query,
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key_id}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.session_token:
        named["X-Amz-Security-Token"] = credentials.session_token
    written = urlencode(named, quote_via=quote, safe=_UNRESERVED)
    lines = ["GET", "/", _canonical_query(written), f"host:{host}", "", "host", hashlib.sha256(b"").hexdigest()]
    return f"{written}&X-Amz-Signature={_signature(credentials, lines, stamp, scope)}"


def _signature(credentials: Credentials, lines: Sequence[str], stamp: str, scope: str) -> str:
    """Of a canonical request, given by its lines."""
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    day, region, service, _ = scope.split("/")
    key = _signing_key(credentials.secret_access_key, day, region, service)
    return hmac.new(key, "\n".join([ALGORITHM, stamp, scope, digest]).encode(), hashlib.sha256).hexdigest()


def _canonical_query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    return "&".join(
        sorted(f"{quote(name, safe=_UNRESERVED)}={quote(value, safe=_UNRESERVED)}" for name, value in pairs)
    )


@lru_cache(maxsize=16)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
