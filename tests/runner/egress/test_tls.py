"""TLS speaks to the name of the URL, wherever the address came from."""

import contextlib
import socket
import threading

import pytest

from tests.runner.egress.servers import LOOPBACK, http


@pytest.fixture
def listening():
    """`listening(greeting)`: a port whose server says that and then nothing."""
    with contextlib.ExitStack() as stack:

        def start(greeting):
            listener = stack.enter_context(socket.create_server((LOOPBACK, 0)))

            def greet():
                with contextlib.suppress(OSError):
                    connection = stack.enter_context(listener.accept()[0])
                    connection.sendall(greeting)

            thread = threading.Thread(target=greet)
            thread.start()
            stack.callback(thread.join)
            return listener.getsockname()[1]

        yield start


@pytest.fixture
def egress(make_egress, authority):
    return make_egress(tls=authority.client)


def test_a_certificate_for_the_name_is_accepted_and_the_connection_kept(get, egress, serve, authority):
    server = serve(tls=authority.server("good.test"))
    for _ in range(3):
        assert get(f"https://good.test:{server.port}/", (f"good.test:{server.port}",), egress=egress).body == b"hello"
    assert server.connections == 1


def test_the_name_of_the_url_goes_out_as_sni(get, egress, serve, authority):
    context, seen = authority.server("good.test"), []
    context.sni_callback = lambda _socket, name, _context: seen.append(name)
    server = serve(tls=context)
    get(f"https://good.test:{server.port}/", (f"good.test:{server.port}",), egress=egress)
    assert seen == ["good.test"]


@pytest.mark.parametrize("named", ["other.test", "127.0.0.1"])
def test_a_certificate_for_another_name_is_refused(failure, egress, serve, authority, named):
    server = serve(tls=authority.server(named))
    assert failure(f"https://good.test:{server.port}/", (f"good.test:{server.port}",), egress=egress) == "tls"
    assert server.requests == []


def test_an_expired_certificate_is_refused(failure, egress, serve, authority):
    server = serve(tls=authority.server("good.test", expired=True))
    assert failure(f"https://good.test:{server.port}/", (f"good.test:{server.port}",), egress=egress) == "tls"


def test_an_authority_that_the_system_does_not_know_is_refused(failure, serve, authority):
    server = serve(tls=authority.server("good.test"))
    assert failure(f"https://good.test:{server.port}/", (f"good.test:{server.port}",)) == "tls"
    assert server.requests == []


def test_a_server_without_tls_is_refused(failure, egress, listening):
    port = listening(b"220 mail.good.test ready\r\n")
    assert failure(f"https://good.test:{port}/", (f"good.test:{port}",), egress=egress) == "tls"


def test_a_handshake_that_never_ends_is_left_at_the_deadline(failure, egress, listening):
    port = listening(b"")
    url, hosts = f"https://good.test:{port}/", (f"good.test:{port}",)
    assert failure(url, hosts, egress=egress, seconds=0.2) == "timeout"


def test_a_redirect_from_https_to_http_needs_its_own_grant(failure, get, egress, serve, authority):
    plain = serve()
    secure = serve(
        http(b"", "302 Found", location=f"http://good.test:{plain.port}/"), tls=authority.server("good.test")
    )
    url, hosts = f"https://good.test:{secure.port}/", (f"good.test:{secure.port}",)
    assert failure(url, hosts, egress=egress, redirects=1) == "denied"
    both = (*hosts, f"http://good.test:{plain.port}")
    assert get(url, both, egress=egress, redirects=1, headers=[("authorization", "canary")]).body == b"hello"
    assert b"canary" not in plain.requests[0]
