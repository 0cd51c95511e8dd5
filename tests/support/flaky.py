"""An AWS client that fails at a chosen request, in the ways that AWS and networks fail."""

from botocore.exceptions import ClientError, ReadTimeoutError

from oriel.aws.services import NoAnswer, Refused


def refused(code, status=400, **more):
    """As DynamoDB does."""
    return Refused(code, status, more)


def lost():
    return NoAnswer("the connection broke")


def s3_refused(code, status=400):
    answer = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


def s3_lost():
    return ReadTimeoutError(endpoint_url="http://127.0.0.1")


class Flaky:
    """Wraps a client. `plan` holds for each request to come: None, ("before", error) or ("after", error).

    A transaction that was carried out is not carried out again under the same token, as DynamoDB promises and moto
    does not keep.
    """

    def __init__(self, client, *plan):
        self._client, self.plan, self.sent, self._tokens = client, list(plan), [], set()

    def __getattr__(self, operation):
        method = getattr(self._client, operation)
        if operation in {"close", "generate_presigned_url"}:
            return method
        return lambda **asked: self._answer(operation, method, asked)

    def _answer(self, operation, method, asked):
        self.sent.append((operation, asked))
        when, error = (self.plan.pop(0) if self.plan else None) or (None, None)
        if when == "before":
            raise error
        token = asked.get("ClientRequestToken")
        answer = {} if token in self._tokens else method(**asked)
        if token:
            self._tokens.add(token)
        if when == "after":
            if "Body" in answer:  # nobody will read it
                answer["Body"].close()
            raise error
        return answer

    @property
    def operations(self):
        return [operation for operation, _ in self.sent]
