"""`/oriel/guest.js` in AWS: there after every deployment, and answered as on one machine."""

import asyncio
import json
from http.server import BaseHTTPRequestHandler

import httpx
import pytest

from oriel import edge, ui
from oriel.local.ui_origin import create_ui_app
from oriel.web_files import library_files
from tests.support.lambdas import listening
from tests.support.stack import boto, plain

SOURCES = ui.Sources("https://ui.example", ("https://app.example",))
NAMES = [name for name, _ in library_files("guest")]


@pytest.fixture(scope="module")
def cloudformation():
    """Where custom resources answer, and what they said."""
    said = []

    class Address(BaseHTTPRequestHandler):
        def do_PUT(self):
            assert self.headers["content-type"] == ""  # what the address is signed for
            said.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    with listening(Address) as url:
        yield url, said


def deploy(platform, cloudformation, kind, **members):
    """What the function told CloudFormation."""
    url, said = cloudformation
    event = {
        "RequestType": kind,
        "ResponseURL": f"{url}/answer?X-Amz-Signature=abc",
        "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/oriel/guid",
        "RequestId": "unique",
        "ResourceType": "Custom::GuestLibrary",
        "LogicalResourceId": "GuestLibrary",
        "ResourceProperties": {"ServiceToken": "arn:…", "Version": "arn:…:7"},
        **members,
    }
    platform.function("LibraryFunction").call(event)
    path, answer = said[-1]
    assert path == "/answer?X-Amz-Signature=abc"
    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")} == {
        name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")
    }
    return answer


@pytest.fixture(scope="module")
def bucket(platform, cloudformation):
    """The UI bucket's name, with the library in it."""
    name = platform.stack.environment["LibraryFunction"]["ORIEL_UI_BLOBS"].removeprefix("s3:")
    boto("s3").put_object(Bucket=name, Key="oriel/guest.js", Body=b"an older one")
    answer = deploy(platform, cloudformation, "Create")
    assert (answer["Status"], answer["Data"]) == ("SUCCESS", {"Files": len(NAMES)})
    return name


async def on_one_machine(path):
    app = create_ui_app(None, ui_origin=SOURCES.ui_origin, host_origins=SOURCES.host_origins)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=SOURCES.ui_origin) as browser:
        return await browser.get(path)


@pytest.mark.parametrize("name", ["guest.js", "guest/base.css", "guest/oriel.js"])
def test_a_browser_gets_the_same_file_with_the_same_headers_as_on_one_machine(bucket, name):
    """CloudFront's part is what tests/ui/test_edge.py holds against the one definition; the object's is read here."""
    local = asyncio.run(on_one_machine(f"/oriel/{name}"))
    stored = boto("s3").get_object(Bucket=bucket, Key=f"oriel/{name}")
    policy = edge.response_headers_policy("oriel-ui", SOURCES)["CustomHeadersConfig"]["Items"]
    assert stored["Body"].read() == local.content
    assert (stored["ContentType"], stored["CacheControl"]) == (
        local.headers["content-type"],
        local.headers["cache-control"],
    )
    assert {item["Header"] for item in policy if not item["Override"]} == {"cache-control"}  # the object's own stays


def test_the_whole_library_is_there_and_nothing_else_of_the_browser_libraries(bucket):
    listed = boto("s3").list_objects_v2(Bucket=bucket, Prefix="oriel/")["Contents"]
    assert {entry["Key"] for entry in listed} == {f"oriel/{name}" for name in NAMES}


def test_the_end_of_the_stack_takes_nothing_away_and_an_update_replaces_nothing(platform, cloudformation, bucket):
    former = deploy(platform, cloudformation, "Update", PhysicalResourceId="former")
    assert (former["Status"], former["PhysicalResourceId"]) == ("SUCCESS", "former")
    assert deploy(platform, cloudformation, "Delete", PhysicalResourceId="former")["Status"] == "SUCCESS"
    assert boto("s3").list_objects_v2(Bucket=bucket, Prefix="oriel/")["KeyCount"] == len(NAMES)


def test_a_deployment_fails_with_the_reason_where_the_library_cannot_be_stored(platform, cloudformation):
    with platform.started_anew("LibraryFunction", ORIEL_UI_BLOBS="s3:no-such-bucket"):
        answer = deploy(platform, cloudformation, "Create")
    assert answer["Status"] == "FAILED"
    assert "S3 answered 404" in answer["Reason"]
    assert "NoSuchBucket" in answer["Reason"]


def test_each_version_of_the_function_is_a_reason_to_deploy_the_library_anew():
    resources = plain()["Resources"]
    properties = resources["GuestLibrary"]["Properties"]
    version = resources[properties["Version"]["Ref"]]
    assert (version["Type"], version["Properties"]["FunctionName"]) == (
        "AWS::Lambda::Version",
        {"Ref": "LibraryFunction"},
    )
    assert resources[properties["ServiceToken"]["Ref"]]["Type"] == "AWS::Lambda::Alias"
