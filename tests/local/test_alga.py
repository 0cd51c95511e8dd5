"""A component of `alga:extension` on the whole platform: published, installed, called."""

from tests.guests.alga import small
from tests.suites.calls import wait_for
from tests.support.platform import client, publish_and_install


def test_a_component_of_alga_extension_is_published_installed_and_called(platform):
    wasm = small("storage.get", "clients.list-clients")
    extension = publish_and_install(platform, wasm, name="com.acme.dropin", capabilities=["cap:client.read"])
    with client(platform) as caller:
        answer = caller.call(extension, "/")
        assert (answer.status_code, answer.content) == (204, b"")
        execution_id = answer.headers["x-ext-execution-id"]
        execution = wait_for(lambda: caller.api("GET", f"/executions/{execution_id}"))
    assert [line["message"] for line in execution["logs"]] == ["hello"]
