"""Whatever is sent to the OAuth endpoints, the answer is one of theirs and never a failure."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.browser import basic
from tests.support import REDIRECT_URI, Live, serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

FORM = "application/x-www-form-urlencoded"

PARAMETERS = (
    "client_id client_secret redirect_uri response_type response_mode scope state code code_verifier prompt decision "
    "code_challenge code_challenge_method grant_type refresh_token token token_type_hint resource request request_uri"
)
METADATA = (
    "redirect_uris token_endpoint_auth_method grant_types response_types client_name client_uri logo_uri tos_uri "
    "policy_uri scope contacts software_id software_version application_type jwks"
)

SHORT = st.text(max_size=30)
TEXT = SHORT | st.sampled_from(["code", "S256", "none", "\x00", "%", "https://a.example/", "a" * 5_000])
NAME = st.sampled_from(PARAMETERS.split(" "))
FIELD = st.sampled_from(METADATA.split(" "))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
BOUNDED = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """Give one server that has to bear all of it."""
    async with serve(tmp_path_factory.mktemp("server")) as running:
        yield running


@BOUNDED
@given(st.lists(st.tuples(NAME, TEXT), max_size=8), st.none() | st.tuples(SHORT, SHORT))
async def test_no_parameters_whatever_break_an_endpoint(
    live: Live, pairs: list[tuple[str, str]], credentials: tuple[str, str] | None
) -> None:
    encoded = urlencode(pairs, errors="surrogatepass").encode()
    header = {} if credentials is None else basic(*(part.encode(errors="replace").decode() for part in credentials))
    for path in ("/token", "/revoke", "/introspect"):
        answer = await live.send("POST", path, data=encoded, headers={"Content-Type": FORM, **header})
        assert 400 <= answer.status < 500
        assert isinstance(answer.json["error"], str)
    for path in ("/authorize", "/oauth/authorize/approve"):
        assert (await live.send("POST", path, data=encoded, headers={"Content-Type": FORM})).status == 400
    query = encoded.decode()[:6_000]
    for path in ("/authorize", "/oauth/authorize/page"):
        assert (await live.send("GET", f"{path}?{query}")).status == 400


@BOUNDED
@given(st.dictionaries(FIELD, VALUES, max_size=6) | st.dictionaries(TEXT, VALUES, max_size=3))
async def test_no_metadata_whatever_breaks_registration(live: Live, metadata: dict[str, Any]) -> None:
    for offered in (metadata, {"redirect_uris": [REDIRECT_URI], **metadata}):
        body = json.dumps(offered).encode()
        answer = await live.send("POST", "/register", data=body, headers={"Content-Type": "application/json"})
        assert answer.status in ({201, 400} if len(body) <= 16 * 1024 else {413})
        if answer.status == 201:
            assert None not in answer.json.values()


@BOUNDED
@given(changed=st.dictionaries(NAME.filter(lambda n: n not in {"client_id", "redirect_uri"}), TEXT, max_size=6))
async def test_whatever_a_known_client_asks_for_leads_on_or_back(live: Live, changed: dict[str, str]) -> None:
    app = await live.register()
    asked = {"client_id": app.client_id, "redirect_uri": app.redirect_uri, **changed}
    answer = await live.send("GET", "/authorize?" + urlencode(asked, errors="replace")[:7_000])
    assert answer.status in {302, 400}
    if answer.status == 302 and answer.location.startswith(REDIRECT_URI):
        assert answer.returned["iss"] == live.url
        assert answer.returned["error_description"].isprintable()
