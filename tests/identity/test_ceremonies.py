"""What comes from a browser as a passkey's answer, whatever it is."""

import asyncio
import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.identity import ceremonies
from server.identity.passkeys import Ceremony, PasskeyError
from server.oauth.context import Context
from server.oauth.model import User
from server.sealing import Sealer
from server.settings import load_settings
from tests.authenticator import Authenticator, encoded
from tests.support import START

NO_STORE: Any = None
"""Nothing that is no answer gets as far as the database."""

CTX = Context(NO_STORE, load_settings(_env_file=None, oauth_provider="local"), os.urandom, START)
CEREMONY = Ceremony("localhost", "a" * 64, Sealer(b"s" * 32), CTX)
ADA = User("att_us_ada", "local", "ada")

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
)
encoded_values = values.map(json.dumps).map(str.encode).map(encoded) | st.binary(max_size=200).map(encoded)
parts = st.sampled_from(["clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject"])
credentials = st.fixed_dictionaries(
    {"type": st.just("public-key") | values},
    optional={
        "id": values,
        "rawId": values,
        "response": st.dictionaries(parts, encoded_values | values, max_size=5) | values,
    },
)


def tries(answer: str) -> None:
    """Present an answer in both ways; each must refuse it in its own words."""
    for attempt in (
        ceremonies.authenticate(answer, CEREMONY, NO_STORE),
        ceremonies.add(answer, "name", ADA, CEREMONY, NO_STORE),
    ):
        try:
            asyncio.run(attempt)
        except PasskeyError:
            continue
        raise AssertionError(answer)


@given(answer=credentials.map(json.dumps) | st.text(max_size=200))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_no_answer_is_refused(answer: str) -> None:
    tries(answer)


def test_what_was_asked_for_one_thing_does_not_do_for_the_other() -> None:
    device = Authenticator(CTX.settings.server_url, user_handle=b"att_us_ada")
    for options, attempt in (
        (ceremonies.add_options(ADA, (), CEREMONY), lambda said: ceremonies.authenticate(said, CEREMONY, NO_STORE)),
        (ceremonies.sign_in_options(CEREMONY), lambda said: ceremonies.add(said, "", ADA, CEREMONY, NO_STORE)),
    ):
        asked = {"user": {"id": encoded(b"att_us_ada")}, **json.loads(options)}
        for said in (device.make(asked), device.sign(asked)):
            with pytest.raises(PasskeyError, match=r"another page's|Credential response missing"):
                asyncio.run(attempt(said))


@given(challenge=encoded_values | values)
def test_a_challenge_that_is_not_ours_is_refused(challenge: Any) -> None:
    asked = {"challenge": challenge, "user": {"id": encoded(b"att_us_ada")}}
    device = Authenticator("http://localhost:8000")
    tries(device.make(asked))
    tries(device.sign(asked))
