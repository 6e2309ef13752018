"""The guarded fetcher's way to a server: never into our network, however it is named."""

import asyncio
import socket

import pytest
from aiohttp.abc import ResolveResult

from server.outbound import fetcher as fetcher_module
from server.outbound.fetcher import GuardedFetcher
from tests.outbound.conftest import LIMIT, Names, answering, refusal, watched
from tests.site import Site

REFUSED_HOSTS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "localhost",
    "localhost.",
    "LOCALHOST",
    "%6cocalhost",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
]


@pytest.mark.parametrize("host", REFUSED_HOSTS)
async def test_no_connection_is_made_to_this_machine_however_it_is_written(host: str) -> None:
    async with watched("::1" if host in {"[::1]", "[0:0:0:0:0:0:0:1]"} else "127.0.0.1") as (port, visitors):
        error = await refusal(GuardedFetcher(), f"http://{host}:{port}/x")
        assert "private" in error.reason or "reached" in error.reason
        await asyncio.sleep(0.05)
    assert visitors == []


async def test_the_watched_socket_would_have_seen_a_connection() -> None:
    for host in ("127.0.0.1", "[::1]"):
        async with watched(host.strip("[]")) as (port, visitors):
            await refusal(GuardedFetcher([f"http://{host}:{port}"]), f"http://{host}:{port}/x")
            await asyncio.sleep(0.05)
        assert len(visitors) >= 1


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "2606:4700::1"], []])
async def test_one_address_that_is_not_public_refuses_them_all(addresses: list[str]) -> None:
    async with watched() as (port, visitors):
        names = Names(addresses)
        error = await refusal(GuardedFetcher(resolver=names), f"http://rebinding.example:{port}/x")
        assert "nothing is fetched from private addresses" in error.reason
        assert not any(address in error.reason for address in addresses)
        await asyncio.sleep(0.05)
    assert visitors == []


async def test_a_name_is_resolved_once_and_the_connection_goes_to_what_was_checked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look-up would be told another address: the one that must not be visited."""
    site.pages["/x"] = answering()
    port = int(site.origin.rpartition(":")[2])
    names = Names(["127.0.0.1"], ["127.0.0.9"])
    checked: list[str] = []

    def noted(address: str) -> bool:
        checked.append(address)
        return True

    monkeypatch.setattr(fetcher_module, "is_public", noted)
    async with watched("127.0.0.9") as (_, visitors):
        await GuardedFetcher(resolver=names).fetch(f"http://rebinding.example:{port}/x", LIMIT)
        assert visitors == []
    assert names.questions == ["rebinding.example"]
    assert checked == ["127.0.0.1"]
    assert site.seen[0].headers["Host"] == f"rebinding.example:{port}"


async def test_a_name_that_turns_private_is_refused_at_the_next_fetch(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/x"] = answering()
    port = int(site.origin.rpartition(":")[2])
    monkeypatch.setattr(fetcher_module, "is_public", lambda address: address == "127.0.0.1")
    fetcher = GuardedFetcher(resolver=Names(["127.0.0.1"], ["10.0.0.1"]))
    await fetcher.fetch(f"http://rebinding.example:{port}/x", LIMIT)
    assert "private" in (await refusal(fetcher, f"http://rebinding.example:{port}/x")).reason
    assert site.asked == ["/x"]


async def test_a_name_that_leads_inside_is_answered_like_one_that_leads_nowhere() -> None:
    async def nowhere(_host: str, _port: int) -> list[ResolveResult]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    inside = await refusal(GuardedFetcher(resolver=Names(["10.0.0.1"])), "https://inside.example/x")
    gone = await refusal(GuardedFetcher(resolver=nowhere), "https://inside.example/x")
    assert inside.reason == gone.reason
    assert "10.0.0.1" in inside.detail


async def test_only_the_very_origin_is_exempt(site: Site) -> None:
    site.pages["/x"] = answering()
    port = site.origin.rpartition(":")[2]
    for other in (f"https://localhost:{port}", f"http://127.0.0.1:{port}", "http://localhost", "http://localhost:1"):
        assert "private" in (await refusal(GuardedFetcher([other]), f"{site.origin}/x")).reason
    assert not site.asked
