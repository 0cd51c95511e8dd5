"""A client of botocore's, for S3 where blobs are written. It costs a quarter of a second, so it is imported late."""

from typing import TYPE_CHECKING, Any

from oriel.aws.credentials import Credentials, botocore_session
from oriel.aws.target import Target
from oriel.connections import CONNECT_SECONDS, MAX_CONNECTIONS

if TYPE_CHECKING:
    from botocore.client import BaseClient


def make_client(
    service: str, target: Target, credentials: Credentials | None, *, read_seconds: int, **config: Any
) -> "BaseClient":
    """A low-level client that never retries by itself. `config` are further options of `botocore.config.Config`."""
    from botocore.config import Config

    options = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"total_max_attempts": 1},
        max_pool_connections=MAX_CONNECTIONS,
        **config,
    )
    return botocore_session().create_client(
        service,
        region_name=target.region,
        endpoint_url=target.endpoint,
        config=options,
        aws_access_key_id=credentials and credentials.access_key_id,
        aws_secret_access_key=credentials and credentials.secret_access_key,
        aws_session_token=credentials and credentials.session_token,
    )
