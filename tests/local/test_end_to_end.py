"""The suite of every platform on one machine, and what is only there."""

import json

import httpx
import pytest

from oriel.errors import InvalidInput
from tests.suites.calls import *  # noqa: F403 - collected here, with this folder's platform
from tests.suites.calls import named, problem_of
from tests.support.platform import client, publish_and_install


def test_all_mistakes_of_a_manifest_are_reported_at_once(platform, tmp_path):
    manifest = {"manifest_version": 2, "name": "Not A Name", "publisher": "com.acme", "version": "1.0", "runtime": "x"}
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest))
    from oriel.manifest import Manifest

    with pytest.raises(InvalidInput) as refused:
        Manifest.parse(path.read_bytes())
    assert {"name", "version", "runtime"} <= {finding.at for finding in refused.value.findings}


def test_the_ui_is_served_from_its_own_origin_by_content_hash(platform, request):
    extension = publish_and_install(platform, name=named(request))
    with client(platform) as caller:
        item = next(item for item in caller.api("GET", "/menu")["items"] if item["extension_id"] == extension)
    url = f"{platform.ui_base_url}/ext-ui/{extension}/{item['content_hash']}/index.html"
    answer = httpx.get(url, trust_env=False)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert httpx.get(f"{platform.base_url}/ext-ui/{extension}/{item['content_hash']}/", trust_env=False).is_error


def test_the_runner_takes_no_call_without_a_service_token(platform):
    answer = httpx.post(f"{platform.runner_url}/v1/execute", json={}, trust_env=False)
    assert problem_of(answer)["code"] == "untrusted_caller"


def test_guests_do_not_run_in_the_process_of_the_doors(platform):
    import os

    assert platform.worker_pids()
    assert os.getpid() not in platform.worker_pids()
