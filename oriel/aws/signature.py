"""A request signed for AWS: Signature Version 4.

Source: AWS, "Create a signed AWS API request". The tests compare it with botocore's.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import parse_qsl, quote

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
    to_sign = "\n".join([ALGORITHM, stamp, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    key = _signing_key(credentials.secret_access_key, stamp[:8], region, service)
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    given = f"Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return sent | {"authorization": f"{ALGORITHM} {given}"}


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
