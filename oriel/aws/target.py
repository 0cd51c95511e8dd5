"""What a URL such as `dynamodb:TABLE?region=eu-central-1` says of a table, a bucket, a queue, a key or a function."""

import os
from urllib.parse import parse_qsl

from msgspec import Struct

from oriel.errors import Finding, InvalidInput

_OPTIONS = {"region", "endpoint"}


class Target(Struct, frozen=True):
    """A named thing, and where it is: by default the region and the endpoint of the environment."""

    name: str
    region: str | None = None
    endpoint: str | None = None

    @classmethod
    def parse(cls, rest: str, *, setting: str, form: str) -> "Target":
        """What follows the scheme: `NAME[?region=…&endpoint=…]`.

        Raises:
            InvalidInput: `invalid_input`, naming `setting` and the `form` it should have.
        """
        name, _, query = rest.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        options = dict(pairs)
        if not name or len(options) != len(pairs) or not options.keys() <= _OPTIONS or "" in options.values():
            finding = Finding(setting, f"{rest!r} is not of the form {form}.")
            raise InvalidInput("invalid_input", [finding], subject="The environment")
        return cls(name, options.get("region"), options.get("endpoint"))

    def region_name(self) -> str:
        """The region to ask; the environment's, where the target names none (an ARN does).

        Raises:
            InvalidInput: `invalid_input`, where there is none at all.
        """
        of_arn = self.name.split(":")[3] if self.name.startswith("arn:") else ""
        region = self.region or of_arn or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if not region:
            finding = Finding("AWS_REGION", f"no region is set for {self.name}, and none is named with it.")
            raise InvalidInput("invalid_input", [finding], subject="The environment")
        return region

    def url(self, service: str) -> str:
        """Where the service answers: what is named here, what the environment names, or AWS."""
        own = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}")
        given = self.endpoint or own or os.environ.get("AWS_ENDPOINT_URL")
        return (given or f"https://{service}.{self.region_name()}.{_domain(self.region_name())}").rstrip("/")


def _domain(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
