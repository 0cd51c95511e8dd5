"""Whatever is sent as an envelope or a trust bundle, it is refused in words."""

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oriel.errors import InvalidInput, OrielError
from oriel.signing import TrustBundle, verify_bundle
from tests.signing.test_statements import CLAIMS, ENVELOPE, HASH, TRUST

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["e30=", "sha256:" + "a" * 64]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["keyid", "sig", "x5c"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def refused(envelope):
    with pytest.raises(OrielError) as caught:
        verify_bundle(envelope, content_hash=HASH, trust=TRUST, now=0, **CLAIMS)
    assert caught.value.code in {"signature_missing", "signature_invalid", "signature_untrusted"}


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data):
    refused(data)


@settings(max_examples=300)
@given(st.fixed_dictionaries({}, optional={"payloadType": VALUES, "payload": VALUES, "signatures": VALUES}))
def test_any_object_is_refused(change):
    document = {**json.loads(ENVELOPE), **change}
    if document != json.loads(ENVELOPE):
        refused(json.dumps(document).encode())


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4))
def test_any_certificates_are_refused(x5c):
    document = json.loads(ENVELOPE)
    document["signatures"][0] |= {
        "keyid": "sha256:" + "0" * 64,
        "x5c": [base64.b64encode(der).decode() for der in x5c],
    }
    refused(json.dumps(document).encode())


@given(st.text(alphabet="-BEGINDPUBLICKY ERTFA:\n\r=Revokd\x00é\u2028", max_size=200))
def test_any_text_is_a_trust_bundle_or_a_list_of_mistakes(text):
    with suppress(InvalidInput):
        TrustBundle.from_pem(text)
