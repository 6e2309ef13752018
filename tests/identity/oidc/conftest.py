"""A provider, and this server's side of the conversation with it."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from server.identity.oidc import answer, hop
from server.identity.oidc.hop import Wish
from server.identity.oidc.registration import Registration
from server.identity.oidc.upstream import SignedIn, Upstream
from server.oauth.parameters import Parameters
from server.outbound.upstream import UpstreamHttp
from server.sealing import Sealer
from server.settings import load_settings
from tests.support import START
from tests.upstream import SETTINGS, Provider, provide

_NUMBERS = itertools.count()


@dataclass
class Talk:
    """Goes the way of a sign-in, without the browser and the database."""

    provider: Provider
    settings: dict[str, object] = field(default_factory=dict)
    upstream: Upstream = field(init=False)
    now: int = START

    def __post_init__(self) -> None:
        given = {"oauth_provider": "oidc", "oauth_upstream_issuer": self.provider.issuer, **SETTINGS, **self.settings}
        registration = Registration.of(load_settings(**given))
        self.upstream = Upstream(registration, UpstreamHttp(deadline=1))
        self.sealer = Sealer(b"s" * 32)

    async def sign_in(self, wish: Wish | None = None, *, email_needed: bool = False, **changes: object) -> SignedIn:
        """Ask the provider who is there, and believe what can be believed."""
        metadata = await self.upstream.metadata(self.now)
        random = (next(_NUMBERS).to_bytes(32) for _ in range(3))
        location, attempt = hop.make(
            metadata, self.upstream.registration, "browser", None, wish or Wish(), self.sealer, random, self.now
        )
        back = self.provider.answer(location, **changes)
        code = answer.code(Parameters.parse(back.partition("?")[2]), metadata)
        return await self.upstream.sign_in(
            code, hop.read_back(attempt, self.sealer), self.now, email_needed=email_needed
        )


@pytest.fixture
async def provider(nothing_set: None) -> AsyncIterator[Provider]:  # noqa: ARG001 - for its effect
    """Give a provider that does everything right until it is told otherwise."""
    async with provide() as serving:
        yield serving


@pytest.fixture
async def talk(provider: Provider) -> AsyncIterator[Talk]:
    """Give a conversation with it."""
    talking = Talk(provider)
    yield talking
    await talking.upstream.close()
