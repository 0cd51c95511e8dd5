"""PostgreSQL behind RDS Proxy: by a token of IAM's over verified TLS, on one connection, which may go at any time."""

import json
from unittest import mock

import botocore.auth
import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oriel.aws import Credentials
from oriel.errors import InvalidInput
from oriel.store import StoreUnavailable, open_store
from oriel.store.guests import GuestWrite
from oriel.store.sql.rds import ROOTS, RdsTarget, auth_token
from tests.aws.test_signature import AT
from tests.support.postgres import APPLICATION, migrated_database, shared_server
from tests.support.rds_proxy import RdsProxy

KEYS = Credentials("AKID", "secret", "session")
WRITE = GuestWrite(key="k", value=b"v", text=False)


SESSION = botocore.session.Session()


def signer_of_botocore(session):
    return SESSION.create_client(
        "rds",
        region_name="eu-central-1",
        aws_access_key_id="AKID",
        aws_secret_access_key="secret",
        aws_session_token=session,
    )


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rds")
    with RdsProxy(shared_server().socket_path, KEYS, "eu-central-1", folder) as up:
        yield up


@pytest.fixture
def database():
    with migrated_database() as name:
        yield name


@pytest.fixture
def open_rds(proxy, database, monkeypatch):
    """Opens the store as a function does, with these credentials in its environment."""
    opened = []

    def start(user=APPLICATION, keys=KEYS, url=None):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys.access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys.secret_access_key)
        monkeypatch.setenv("AWS_SESSION_TOKEN", keys.session_token or "")
        opened.append(open_store(url or proxy.store(database, user)))
        return opened[-1]

    yield start
    for store in opened:
        store.close()


@settings(max_examples=20)
@given(
    host=st.from_regex(r"[a-z][a-z0-9-]{0,20}\.proxy-[a-z0-9]{4}\.eu-central-1\.rds\.amazonaws\.com", fullmatch=True),
    user=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x17F), min_size=1, max_size=12),
    session=st.none() | st.text("abc/+=", min_size=1),
)
def test_a_token_is_the_one_that_botocore_makes(host, user, session):
    client = signer_of_botocore(session)
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=AT):
        theirs = client.generate_db_auth_token(DBHostname=host, Port=5432, DBUsername=user)
    target = RdsTarget(host, 5432, "oriel", user, "eu-central-1", str(ROOTS))
    assert auth_token(target, Credentials("AKID", "secret", session), stamp=AT.strftime("%Y%m%dT%H%M%SZ")) == theirs


def test_a_store_that_is_opened_has_no_connection_before_its_first_transaction(open_rds, proxy):
    before = len(proxy.users)
    store = open_rds()
    assert len(proxy.users) == before
    store.ping()
    assert proxy.users[before:] == [APPLICATION]


def test_one_transaction_after_the_other_takes_the_same_connection(open_rds, proxy):
    store = open_rds()
    before = len(proxy.users)
    for _ in range(5):
        store.guest_put("t1", "i1", [WRITE])
    assert len(proxy.users) == before + 1


def test_a_connection_that_the_proxy_closed_is_made_again_and_nothing_is_lost(open_rds, proxy):
    store = open_rds()
    store.guest_put("t1", "i1", [WRITE])
    proxy.drop_clients()
    assert [record.value for record in store.guest_get("t1", "i1", ["k"])] == [b"v"]


def test_a_connection_whose_end_at_the_database_was_ended_is_made_again(open_rds, database):
    store = open_rds()
    store.ping()
    shared_server().execute(f"SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname='{database}'")
    store.ping()


def test_keys_of_somebody_else_open_nothing(open_rds, proxy):
    with pytest.raises(StoreUnavailable):
        open_rds(keys=Credentials("AKID", "another", "session")).ping()
    assert proxy.refused[-1] == APPLICATION


def test_a_certificate_of_an_unknown_authority_or_for_another_name_is_not_believed(open_rds, proxy, database):
    before = len(proxy.users) + len(proxy.refused)
    url = proxy.store(database, APPLICATION)
    for wrong in (url.replace(proxy.roots, str(ROOTS)), url.replace("localhost", "127.0.0.1")):
        with pytest.raises(StoreUnavailable, match=r"certificate"):
            open_rds(url=wrong).ping()
    assert len(proxy.users) + len(proxy.refused) == before


def test_a_role_that_row_level_security_does_not_hold_for_is_refused_at_the_first_transaction(open_rds):
    store = open_rds(user="postgres")
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="passes by row-level security"):
            store.ping()


def test_tables_of_another_revision_are_refused_and_taken_when_they_are_migrated(open_rds, database):
    store = open_rds()
    shared_server().execute("UPDATE alembic_version SET version_num = '0000'", database=database)
    with pytest.raises(StoreUnavailable, match="0000"):
        store.ping()
    shared_server().execute("UPDATE alembic_version SET version_num = '0001'", database=database)
    store.ping()


@pytest.mark.parametrize(
    "url",
    ["rds:", "rds:host", "rds:host/db", "rds:host:x/db?user=u", "rds:host/db?user=u&colour=red", "rds:/db?user=u"],
)
def test_a_url_that_is_none_says_what_form_it_has(url):
    with pytest.raises(InvalidInput) as refused:
        open_store(url)
    assert "rds:HOST" in json.dumps(refused.value.problem("r"))
