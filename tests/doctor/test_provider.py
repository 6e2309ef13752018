"""The examination of the identity provider that the settings name."""

import asyncio

import pytest

from server.doctor.findings import Finding
from server.doctor.provider import examine
from server.settings import load_settings
from tests.support import START
from tests.upstream import Provider, provide, settings_for

pytestmark = pytest.mark.usefixtures("nothing_set")


async def look(provider: Provider) -> list[Finding]:
    """Examine as the command does, in a thread without a loop of its own."""
    settings = load_settings(**settings_for(provider))
    return await asyncio.to_thread(lambda: list(examine(settings, START)))


async def test_a_provider_that_answers_is_named_with_the_redirect_uri() -> None:
    async with provide() as provider:
        [found] = await look(provider)
    assert found.state == "good"
    assert f"answers as {provider.issuer}" in found.seen
    assert "http://localhost:8000/oauth/callback" in found.seen


async def test_a_provider_that_is_not_there_or_another_is_bad() -> None:
    async with provide() as provider:
        provider.describe(issuer="https://another.example")
        [other] = await look(provider)
    [gone] = await look(provider)
    assert (other.state, gone.state) == ("bad", "bad")
    assert "https://another.example" in other.seen
    assert "could not be reached" in gone.seen


@pytest.mark.parametrize("name", ["demo", "local"])
def test_without_a_provider_there_is_nothing_to_see(name: str) -> None:
    assert list(examine(load_settings(oauth_provider=name), START)) == []
