"""Our signatures are botocore's, whatever is signed."""

from datetime import UTC, datetime
from unittest import mock

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from oriel.aws import Credentials
from oriel.aws.signature import signed_headers

AT = datetime(2026, 11, 27, 18, 30, 5, tzinfo=UTC)


def by_botocore(service, credentials, url, headers, body):
    keys = BotocoreCredentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    request = AWSRequest(method="POST", url=url, headers=headers, data=body)
    kind = {"s3": botocore.auth.S3SigV4Auth}.get(service, botocore.auth.SigV4Auth)
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=AT):
        kind(keys, service, "eu-central-1").add_auth(request)
    return request.headers["Authorization"]


TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=12)


@pytest.mark.parametrize("service", ["dynamodb", "lambda", "s3"])
@given(
    token=st.none() | st.just("session"),
    segments=st.lists(st.sampled_from(["a", "2015-03-31", "arn%3Aaws", "b.c~d_e", "%20", "sha256"]), max_size=4),
    query=st.sampled_from(["", "Qualifier=live", "b=2&a=1", "prefix=x%2Fy&list-type=2"]),
    sent=st.tuples(TEXT, st.binary(max_size=40)),
)
@settings(max_examples=40)
def test_a_signature_is_the_one_that_botocore_makes(service, token, segments, query, sent):
    credentials, path, (extra, body) = Credentials("id", "secret", token), "/" + "/".join(segments), sent
    headers = {"content-type": "application/json", "x-amz-meta-extra": f"a  {extra} "}
    ours = signed_headers(
        credentials,
        service=service,
        region="eu-central-1",
        method="POST",
        path=path,
        query=query,
        headers={**headers, "host": "host.example"},
        body=body,
        at=AT,
    )
    url = f"http://host.example{path}" + (f"?{query}" if query else "")
    assert ours["authorization"] == by_botocore(service, credentials, url, headers, body)
