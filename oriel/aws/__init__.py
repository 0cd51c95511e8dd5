"""AWS: clients of its services, and what the platform keeps in them.

    target       what a URL such as `dynamodb:TABLE?region=eu-central-1` says of a client
    attempts     doing again what may be done again
    credentials  whose requests these are
    signature    a request signed (Signature Version 4)
    services     clients of DynamoDB, KMS, SQS, Secrets Manager, Lambda
    keys         the platform's keys in KMS and Secrets Manager
    lambdas      what the Lambda functions share: events in, answers out

botocore is used for S3 where blobs are written, and nowhere else: a client of it costs a function more time at its
start than all of its own code (docs/decisions/0003-lambda-parts.md).
"""

from typing import TYPE_CHECKING

from oriel.lazy import exports

if TYPE_CHECKING:
    from oriel.aws.attempts import Again, persist
    from oriel.aws.credentials import Credentials
    from oriel.aws.target import Target

__all__ = ["Again", "Credentials", "Target", "persist"]

__getattr__ = exports(__name__, {"attempts": "Again persist", "credentials": "Credentials", "target": "Target"})
