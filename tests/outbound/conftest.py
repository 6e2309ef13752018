"""A site on loopback, and a fetcher that may visit it."""

from collections.abc import AsyncIterator

import pytest

from server.outbound.fetcher import GuardedFetcher
from tests.site import Site, publish


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with publish() as published:
        yield published


@pytest.fixture
def fetcher(site: Site) -> GuardedFetcher:
    """Give a fetcher for which the site is a development origin."""
    return GuardedFetcher([site.origin])
