"""AWS's list prices and default limits that the benchmarks calculate with.

us-east-1, on demand, arm64, in USD, without free tiers, as we know them in November 2026. Check them before you rely on
a sum; other regions cost more. A tiered price is for a month: up to an amount, and so on.
"""

from collections.abc import Sequence
from math import inf
from typing import Final

REGION, AS_OF = "us-east-1", "2026-11"

Tiers = Sequence[tuple[float, float]]
"""Up to this amount a month, a unit costs that; the last tier has no end."""

API_MILLION: Final[Tiers] = ((300, 1.00), (inf, 0.90))
INVOCATION_MILLION = 0.20
GB_SECOND: Final[Tiers] = ((7.5e9, 0.0000133334), (18.75e9, 0.0000120001), (inf, 0.0000106667))
READ_UNIT_MILLION, WRITE_UNIT_MILLION = 0.125, 0.625
READ_BYTES, WRITE_BYTES, IN_A_TRANSACTION = 4_096, 1_024, 2
LOG_GB = 0.50
EGRESS_GB = 0.09
S3_GET_MILLION = 0.40
CLOUDFRONT_MILLION, CLOUDFRONT_GB = 1.00, 0.085

# Defaults of an account in one region; each can be raised by a quota request.
CONCURRENCY = 1_000
API_REQUESTS_SECOND = 10_000
TABLE_UNITS_SECOND = 40_000
# Not to be raised.
ENVIRONMENTS_IN_TEN_SECONDS = 1_000
PARTITION_WRITES_SECOND = 1_000


def cost(amount: float, tiers: Tiers) -> float:
    """What an amount costs in a month."""
    total, below = 0.0, 0.0
    for end, price in tiers:
        total += max(0.0, min(amount, end) - below) * price
        below = end
    return total
