"""Names of extensions and publishers: reverse domain names, and who owns which.

com.acme              a publisher
com.acme.reports      an extension of it
"""

import re

MAX_NAME = 128
REVERSE_DOMAIN = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$"

_PATTERN = re.compile(REVERSE_DOMAIN)


def is_reverse_domain(name: str) -> bool:
    """Two labels or more of lower-case letters, digits and inner hyphens, at most 128 characters in all."""
    return len(name) <= MAX_NAME and _PATTERN.fullmatch(name) is not None


def owns(publisher: str, name: str) -> bool:
    """Whether `name` lies in the publisher's name space: `com.acme` owns `com.acme` and `com.acme.*`."""
    return name == publisher or name.startswith(f"{publisher}.")
