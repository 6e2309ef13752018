"""The provider's answer, as the browser brings it."""

from typing import Any

import pytest

from server.identity.oidc import errors
from tests.identity.oidc.conftest import Talk
from tests.upstream import Provider


@pytest.mark.parametrize("issuer", ["https://evil.example", ...])
async def test_an_answer_of_another_issuer_is_a_mix_up(talk: Talk, issuer: Any) -> None:
    with pytest.raises(errors.Untrusted, match=r"is of the issuer|does not name its issuer"):
        await talk.sign_in(iss=issuer)
    assert "/token" not in talk.provider.site.asked


async def test_a_provider_that_does_not_name_itself_need_not(provider: Provider) -> None:
    provider.describe(authorization_response_iss_parameter_supported=...)
    assert (await Talk(provider).sign_in(iss=...)).person.subject == "ada"
    with pytest.raises(errors.Untrusted, match="is of the issuer"):
        await Talk(provider).sign_in(iss="https://evil.example")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("access_denied", errors.Denied),
        ("interaction_required", errors.Denied),
        ("temporarily_unavailable", errors.Unreachable),
        ("unauthorized_client", errors.Misconfigured),
        ("what_is_this", errors.Misconfigured),
    ],
)
async def test_an_error_in_place_of_a_code_is_told_by_its_kind(
    talk: Talk, code: str, kind: type[errors.UpstreamError]
) -> None:
    with pytest.raises(kind, match=f"'{code}' .'some words'."):
        await talk.sign_in(error=code, error_description="some words", code=...)


async def test_an_answer_without_code_and_error_is_refused(talk: Talk) -> None:
    with pytest.raises(errors.Untrusted, match="neither code nor error"):
        await talk.sign_in(code=...)
