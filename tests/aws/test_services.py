"""The light clients: connections that end, refusals, functions that fail, and where keys come from."""

import json
import threading

import pytest

from oriel.aws import Credentials, Target
from oriel.aws.credentials import Fetched, source_of
from oriel.aws.services import JsonClient, LambdaClient, Refused
from oriel.connections import Connections, NoAnswer
from oriel.errors import InvalidInput, OrielError
from tests.support.aws import CREDENTIALS, REGION
from tests.support.http import serving


def json_answer(request, status, document, **headers):
    request.answer(status, json.dumps(document).encode(), content_type="application/x-amz-json-1.0", **headers)


def test_bytes_go_out_in_base64_and_come_back_as_bytes():
    seen = []

    def echo(request):
        seen.append(json.loads(request.body()))
        json_answer(request, 200, {"Item": seen[-1]["Item"]})

    item = {"a": {"B": b"\x00\xff"}, "b": {"M": {"B": {"S": "a name"}}}, "c": {"BS": [b"1", b"2"]}}
    with serving(echo) as url:
        client = JsonClient("dynamodb", Target("table", REGION, url), CREDENTIALS)
        assert client.put_item(TableName="t", Item=item)["Item"] == item
        client.close()
    assert seen[0]["Item"]["a"] == {"B": "AP8="}


def test_a_refusal_has_the_services_code_and_all_that_was_said():
    def refuse(request):
        request.body()
        said = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "CancellationReasons": [1]}
        json_answer(request, 400, said)

    with serving(refuse) as url:
        client = JsonClient("dynamodb", Target("table", REGION, url), CREDENTIALS)
        with pytest.raises(Refused) as refused:
            client.get_item()
        client.close()
    assert (refused.value.code, refused.value.status) == ("TransactionCanceledException", 400)
    assert refused.value.answer["CancellationReasons"] == [1]


def test_a_kept_connection_that_the_service_has_closed_is_not_used_again():
    """The server closes after each answer without saying so before."""
    ports = []

    def answer_and_close(request):
        ports.append(request.client_address[1])
        request.answer(200, b"ok")
        request.close_connection = True

    with serving(answer_and_close) as url:
        connections = Connections(url, read_seconds=5)
        for _ in range(3):
            with connections.request("GET", "/", {}) as answer:
                assert answer.read() == b"ok"
            _wait_until_closed(connections)
        connections.close()
    assert len(set(ports)) == 3


def _wait_until_closed(connections):
    from oriel.connections import _readable

    for _ in range(500):
        if not connections._idle or _readable(connections._idle[-1]):
            return
        threading.Event().wait(0.01)
    raise AssertionError("the server did not close the connection")


def test_a_connection_is_used_again_where_the_answer_was_read_to_its_end():
    ports = []

    def answer(request):
        ports.append(request.client_address[1])
        request.answer(200, b"ok")

    with serving(answer) as url:
        connections = Connections(url, read_seconds=5)
        for whole in (True, True, False, True):
            with connections.request("GET", "/", {}) as response:
                assert response.read(None if whole else 1)
        connections.close()
    assert [ports[0] == port for port in ports] == [True, True, True, False]


def test_where_nobody_listens_there_is_no_answer():
    with pytest.raises(NoAnswer), Connections("http://127.0.0.1:9", read_seconds=1).request("GET", "/", {}):
        pass


def test_a_function_is_called_by_its_alias_for_a_tenant_and_says_how_it_ended():
    seen = []

    def fail(request):
        seen.append((request.path, request.headers["x-amz-tenant-id"], request.body()))
        json_answer(request, 200, {"errorMessage": "no"}, x_amz_function_error="Unhandled")

    with serving(fail) as url:
        arn = f"arn:aws:lambda:{REGION}:123456789012:function:runner:live"
        client = LambdaClient(Target(arn, endpoint=url), CREDENTIALS)
        kind, raw = client.invoke(b"{}", seconds=5, tenant_id="t1")
        client.close()
    assert (kind, json.loads(raw)) == ("Unhandled", {"errorMessage": "no"})
    function = f"arn%3Aaws%3Alambda%3A{REGION}%3A123456789012%3Afunction%3Arunner"
    assert seen == [(f"/2015-03-31/functions/{function}/invocations?Qualifier=live", "t1", b"{}")]


def test_keys_come_from_the_environment_of_a_function():
    environment = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
    assert source_of(None, environment)() == Credentials("id", "secret", "token")


def test_keys_of_a_snapshot_are_fetched_with_its_token_and_again_before_they_expire():
    asked = []

    def give(request):
        asked.append(request.headers["authorization"])
        found = {"AccessKeyId": f"id{len(asked)}", "SecretAccessKey": "s", "Token": "t"}
        json_answer(request, 200, found | {"Expiration": "2026-01-01T01:00:00Z"})

    with serving(give) as url:
        given = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/keys", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret"}
        source, now = source_of(None, given), [1_767_225_600.0]
        source._clock = lambda: now[0]
        assert [source().access_key_id, source().access_key_id] == ["id1", "id1"]
        now[0] += 3_400
        assert source().access_key_id == "id2"
    assert asked == ["secret", "secret"]


def test_keys_are_taken_from_no_address_beyond_this_machine():
    source = source_of(None, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/keys"})
    assert isinstance(source, Fetched)
    with pytest.raises(OrielError, match="gives credentials"):
        source()


def test_without_a_region_the_setting_is_named(monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InvalidInput, match="AWS_REGION"):
        Target("table").url("dynamodb")


def test_a_service_is_where_its_region_is(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    key = "arn:aws-cn:kms:cn-north-1:123456789012:key/1"
    assert Target(key).url("kms") == "https://kms.cn-north-1.amazonaws.com.cn"
    assert Target("t", "eu-central-1").url("sqs") == "https://sqs.eu-central-1.amazonaws.com"
