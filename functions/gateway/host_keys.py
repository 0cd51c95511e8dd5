"""The keys that the runner signs its calls to the host product with, for the product to fetch from the gateway.

The private half is the runner's alone, so that the runner is asked, by the way that executions take.
"""

import json
import time
from collections.abc import Callable

from oriel.aws.services import LambdaClient, NoAnswer, Refused
from oriel.errors import OrielError

PATH = "/.well-known/jwks.json"
ASK = json.dumps({"keys": "host"}).encode()
KEEP_SECONDS = 60.0
WAIT_SECONDS = 10.0
NOBODYS = "oriel"  # whose execution environment answers, where the runner keeps tenants apart


class HostKeys:
    """The set as JSON, asked for again when it is a minute old.

    Args:
        by_tenant: the runner's function keeps an execution environment for each tenant.
    """

    def __init__(
        self, client: LambdaClient, *, by_tenant: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._tenant_id, self._clock = client, NOBODYS if by_tenant else None, clock
        self._known, self._until = b"", 0.0

    def read(self) -> bytes:
        """The key set.

        Raises:
            OrielError: `unavailable`, where the runner does not answer and nothing is known.
        """
        if self._clock() >= self._until:
            try:
                self._known = self._asked()
                self._until = self._clock() + KEEP_SECONDS
            except OrielError:
                if not self._known:
                    raise
        return self._known

    def _asked(self) -> bytes:
        try:
            failure, raw = self._client.invoke(ASK, seconds=WAIT_SECONDS, tenant_id=self._tenant_id)
            said = json.loads(raw)
            if failure is None and isinstance(said["keys"], list):
                return json.dumps({"keys": said["keys"]}).encode()
        except (NoAnswer, Refused, ValueError, KeyError, TypeError):
            pass
        raise OrielError("unavailable", "The runner does not say which keys it signs with.", retry_after=1)
