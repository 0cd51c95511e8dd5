"""Store and blob operations of a request, counted at the ports, and what a million requests cost on AWS.

A gateway and a runner in this process, on the ports the platform uses, each wrapped in a counter. Cold: new ones of
both, nothing cached, no artifact on the disk, one request. Warm: `WARM` requests from `CALLERS` callers of one install
at once, all of whose operations count, also those of caches that expire meanwhile and of the journal.

Dollars are AWS's list prices (us-east-1, on demand, arm64), of the items and the times measured here:

    HTTP API                 1.00 a million requests
    Lambda                   0.20 a million invocations, two of them: gateway and runner
                             0.0000133334 a GB-second: GATEWAY_GB * (gateway + INVOKE_MS + runner ms)
                                                     + RUNNER_GB * runner ms, both rounded up to a whole ms
    DynamoDB reads           0.125 a million units; 4 KB each, strongly consistent. A `resolve` is a query of the install
                             and its secrets, and one item each: version, publisher, key, quarantine (not there: 1)
    DynamoDB writes          0.625 a million units; 1 KB each, twice that in a transaction. An execution is its entry,
                             its place in the extension's listing, and its part of the usage rows of its transaction
    S3                       0.40 a million GETs; warm requests make none

Not in it: the guest's own storage and egress, CloudWatch's ingestion, data transfer, KMS (one call a cold start).
"""

import math
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks import guests
from benchmarks.deployment import TENANT, Deployment, deployed
from benchmarks.measure import Result
from gateway.core import Gateway
from gateway.cors import Cors
from gateway.journal import Journal
from gateway.messages import GatewayRequest
from gateway.resolve import Resolver
from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.identity import Authenticator, KeySet, TokenVerifier
from oriel.ids import new_id
from oriel.local.tokens import jwks
from oriel.store import open_store
from oriel.store.dynamodb import table
from oriel.store.dynamodb.executions import ENTRIES
from oriel.store.dynamodb.items import item_bytes, to_item
from oriel.store.records import Execution, Resolution
from oriel.store.usage import summed
from runner import assembly

WARM, CALLERS = 4_000, 8
GATEWAY_GB, RUNNER_GB = 0.5, 1.0
INVOKE_MS = 10.0
USD_API, USD_INVOCATION, USD_GB_SECOND = 1.00, 0.20, 0.0000133334
USD_READ_UNIT, USD_WRITE_UNIT = 0.125, 0.625
