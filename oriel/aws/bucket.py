"""Where the objects of a bucket are, for the light client."""

from urllib.parse import urlsplit

from oriel.aws.credentials import Credentials
from oriel.aws.services import Client
from oriel.aws.target import Target

READ_SECONDS = 20


def bucket_client(target: Target, credentials: Credentials | None = None) -> tuple[Client, str]:
    """A client of the bucket that `BUCKET[/prefix]` names, and the path below which its keys are."""
    bucket, _, prefix = target.name.partition("/")
    folder = f"/{prefix.strip('/')}/" if prefix.strip("/") else "/"
    # AWS wants the bucket in the host's name; another server knows it as a part of the path.
    url = urlsplit(target.url("s3"))
    in_host = (url.hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))
    address = f"{url.scheme}://{bucket}.{url.netloc}" if in_host else target.url("s3")
    client = Client("s3", Target(bucket, target.region_name(), address), credentials, read_seconds=READ_SECONDS)
    return client, folder if in_host else f"/{bucket}{folder}"
