"""Operations of the product around the extension. Needs `host.call`, with its `operations`.

    orders = host.call("orders.list", {"state": "open"})

Input and answer are whatever JSON can say.
"""

import json as jsonlib
from typing import Any

from oriel_guest import _host
from oriel_guest.messages import dumps

_wit = _host.interface("host", "host.call")


def call(operation: str, value: Any = None) -> Any:
    """Carry out an operation and return its answer.

    Args:
        operation: its name; one that manifest.json asks for and the tenant has granted.
        value: the input, anything that can be written as JSON.

    Raises:
        Denied: not granted, or the product does not allow it to this user.
        Invalid: the input is not what the operation takes.
        Unavailable, FetchFailed: the product was not reached, or not in time.
        OperationFailed: the product refused in another way, or failed.
    """
    return jsonlib.loads(_host.call(_wit.call, operation, dumps(value)))
