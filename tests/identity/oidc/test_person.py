"""Who the provider says that somebody is, and which of it counts."""

from typing import Any

import pytest
from aiohttp import web

from server.identity.oidc import errors
from tests.identity.oidc.conftest import Talk


@pytest.mark.parametrize("vouched", [False, "true", 1, None, ...])
async def test_an_address_that_is_not_vouched_for_does_not_count(talk: Talk, vouched: Any) -> None:
    talk.provider.claims = {"email_verified": vouched}
    assert (await talk.sign_in()).person.email is None


@pytest.mark.parametrize("address", ["ban\N{KELVIN SIGN}@example.com", "a@b@c", "a\nb@example.com", "ada", "", 7, ...])
async def test_what_is_no_address_or_looks_like_anothers_does_not_count(talk: Talk, address: Any) -> None:
    talk.provider.claims = {"email": address}
    assert (await talk.sign_in()).person.email is None


async def test_user_info_gives_the_address_that_the_id_token_leaves_out(talk: Talk) -> None:
    talk.provider.claims = {"email": ..., "email_verified": ..., "name": ...}
    talk.provider.userinfo = {"sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    person = (await talk.sign_in()).person
    assert (person.email, person.name) == ("ada@example.com", "Ada")


async def test_user_info_says_whether_an_address_counts_where_the_id_token_does_not(talk: Talk) -> None:
    talk.provider.claims = {"email_verified": ...}
    talk.provider.userinfo = {"sub": "ada", "email": "ada@example.com", "email_verified": True}
    assert (await talk.sign_in()).person.email == "ada@example.com"
    talk.provider.claims = {"email_verified": False}
    assert (await talk.sign_in()).person.email is None


async def test_an_address_and_who_vouches_for_it_come_from_one_place(talk: Talk) -> None:
    talk.provider.claims = {"email": ..., "email_verified": True}
    talk.provider.userinfo = {"sub": "ada", "email": "boss@example.com", "email_verified": False}
    assert (await talk.sign_in()).person.email is None


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": ..., "preferred_username": " ada "}, "ada"),
        ({"name": "  ", "nickname": "Countess"}, "Countess"),
        ({"name": 7}, None),
        ({"name": "A" * 500}, "A" * 320),
        ({"name": "Ada \ud800"}, "Ada"),
    ],
)
async def test_a_name_is_what_people_are_called_by(talk: Talk, claims: dict[str, Any], name: str | None) -> None:
    talk.provider.claims = claims
    assert (await talk.sign_in()).person.name == name


async def test_user_info_that_makes_no_sense_is_none(talk: Talk) -> None:
    async def nested(_request: web.BaseRequest) -> web.Response:
        return web.Response(text="[" * 30_000, content_type="application/json")

    talk.provider.claims = {"email": ...}
    talk.provider.site.pages["/userinfo"] = nested
    assert (await talk.sign_in()).person.email is None


async def test_user_info_of_somebody_else_is_refused(talk: Talk) -> None:
    talk.provider.claims = {"email": ...}
    talk.provider.userinfo = {"sub": "eve", "email": "ada@example.com", "email_verified": True}
    with pytest.raises(errors.Untrusted, match="another sub"):
        await talk.sign_in()


async def test_without_user_info_the_sign_in_goes_on_unless_the_address_is_needed(talk: Talk) -> None:
    talk.provider.claims = {"email": ...}
    assert (await talk.sign_in()).person.email is None
    with pytest.raises(errors.Unreachable, match="no e-mail address can be had: the UserInfo endpoint answered 401"):
        await talk.sign_in(email_needed=True)
