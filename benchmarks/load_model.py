"""What a deployment does under load: concurrency, dollars and the limits in the way, from what one request takes.

Rules kept here:

- Concurrency is Little's: the rate times the time. Lambda has no queue, an arrival finds an environment or starts one,
  so that the number that is busy is Poisson's around that mean; `peak` is what it passes in one second of a thousand.
- Where there are `servers` and a queue before them, the wait is Erlang's for random arrivals, corrected for how much
  the times of service differ (Allen and Cunneen).
- Dollars are list prices (`benchmarks.prices`) for a month of this rate, tiers and all.
- A limit is named where the model passes it, with the value that is needed.

Pure.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks import prices

MONTH_SECONDS = 730 * 3_600
PEAK = 0.999
BURST = 3.0  # times the mean rate, within ten seconds: what a product's day has over its own hour
HOTTEST_TENANT = 0.2  # of all requests
GB, MILLION = 1e9, 1e6


class Request(NamedTuple):
    """What one request takes, measured or assumed; times in milliseconds, memory in GB as the functions have it.

    Attributes:
        gateway_ms: the gateway's own time; it waits for `invoke_ms` and `runner_ms` beside.
        tenant_writes: of the write units, those in the tenant's own partition of the log.
        log_bytes: of both functions and the API.
        egress_bytes: answers out of the region, and what guests send.
        ui_requests, ui_bytes: of CloudFront, each of which S3 is asked for too.
    """

    gateway_ms: float
    invoke_ms: float
    runner_ms: float
    gateway_gb: float
    runner_gb: float
    read_units: float
    write_units: float
    tenant_writes: float
    log_bytes: float
    egress_bytes: float
    ui_requests: float
    ui_bytes: float

    @property
    def gateway_seconds(self) -> float:
        return (self.gateway_ms + self.invoke_ms + self.runner_ms) / 1_000

    @property
    def runner_seconds(self) -> float:
        return self.runner_ms / 1_000


def concurrency(rate: float, seconds: float) -> float:
    """Little's law."""
    return rate * seconds


def peak(mean: float, share: float = PEAK) -> int:
    """What a Poisson number with this mean stays within, in `share` of the time."""
    if mean > 500:  # normal by then, to less than one
        return math.ceil(mean + 3.0902 * math.sqrt(mean)) if share == PEAK else _summed(mean, share)
    return _summed(mean, share)


def _summed(mean: float, share: float) -> int:
    chance = total = math.exp(-mean)
    count = 0
    while total < share and count < 10 * mean + 100:
        count += 1
        chance *= mean / count
        total += chance
    return count


def waiting_seconds(rate: float, seconds: float, servers: int, squared_variation: float) -> float:
    """The mean wait before `servers`, for random arrivals; infinite where they cannot keep up.

    Args:
        squared_variation: of the times of service, their variance over their squared mean.
    """
    offered = rate * seconds
    if offered >= servers:
        return math.inf
    terms = [offered**n / math.factorial(n) for n in range(servers)]
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    waits = last / (sum(terms) + last)
    return waits / (servers / seconds - rate) * (1 + squared_variation) / 2


def monthly(rate: float, one: Request) -> dict[str, float]:
    """Dollars of a month at this rate, by what they are paid for."""
    count = rate * MONTH_SECONDS
    millions = count / MILLION
    billed = math.ceil(one.gateway_seconds * 1_000) * one.gateway_gb + math.ceil(one.runner_ms) * one.runner_gb
    return {
        "api": prices.cost(millions, prices.API_MILLION),
        "lambda": 2 * millions * prices.INVOCATION_MILLION + prices.cost(count * billed / 1_000, prices.GB_SECOND),
        "dynamodb": millions
        * (one.read_units * prices.READ_UNIT_MILLION + one.write_units * prices.WRITE_UNIT_MILLION),
        "logs": count * one.log_bytes / GB * prices.LOG_GB,
        "egress": count * one.egress_bytes / GB * prices.EGRESS_GB,
        "s3": millions * one.ui_requests * prices.S3_GET_MILLION,
        "cloudfront": millions * one.ui_requests * prices.CLOUDFRONT_MILLION
        + count * one.ui_bytes / GB * prices.CLOUDFRONT_GB,
    }


def limits(rate: float, one: Request) -> Iterator[tuple[str, float]]:
    """What has to be raised, or kept away from, at this rate: each limit that is passed, and what is needed."""
    both = peak(concurrency(rate * BURST, one.gateway_seconds)) + peak(concurrency(rate * BURST, one.runner_seconds))
    needed = {
        "lambda_concurrency": (both, prices.CONCURRENCY),
        "api_requests_second": (rate * BURST, prices.API_REQUESTS_SECOND),
        "table_read_units_second": (rate * BURST * one.read_units, prices.TABLE_UNITS_SECOND),
        "table_write_units_second": (rate * BURST * one.write_units, prices.TABLE_UNITS_SECOND),
        "lambda_environments_in_ten_seconds": (
            concurrency(rate * (BURST - 1), one.gateway_seconds),
            prices.ENVIRONMENTS_IN_TEN_SECONDS,
        ),
        "hottest_tenants_writes_second": (rate * HOTTEST_TENANT * one.tenant_writes, prices.PARTITION_WRITES_SECOND),
    }
    for name, (value, bound) in needed.items():
        if value > bound:
            yield name, value
