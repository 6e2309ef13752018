"""The way to a server: its name and its certificate."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from server.doctor.findings import Finding
from server.doctor.network import name, tls
from server.doctor.patient import Patient
from server.doctor.probe import probing


@pytest.mark.parametrize(
    ("url", "state", "seen"),
    [
        ("https://10.1.2.3/mcp", "bad", "10.1.2.3"),
        ("https://[fd00::1]/mcp", "bad", "fd00::1"),
        ("https://192.0.66.2/mcp", "good", "192.0.66.2"),
        ("https://nowhere.invalid/mcp", "bad", "cannot be looked up"),
        ("http://localhost/mcp", "unknown", "this machine itself"),
    ],
)
async def test_names_must_lead_to_public_addresses(url: str, state: str, seen: str) -> None:
    async with probing() as probe:
        (found,) = [finding async for finding in name(Patient(probe, url))]
    assert (found.state, seen in found.seen) == (state, True)


@asynccontextmanager
async def certified(authority: trustme.CA, host: str = "localhost", **terms: Any) -> AsyncIterator[int]:
    """Listen with a certificate, and give the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, **terms).configure_cert(context)
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def looked_at(port: int) -> Finding:
    async with probing() as probe:
        (found,) = [finding async for finding in tls(Patient(probe, f"https://localhost:{port}/mcp"))]
    return found


async def test_a_certificate_of_nobody_known_is_bad() -> None:
    async with certified(trustme.CA()) as port:
        found = await looked_at(port)
    assert found.state == "bad"
    assert "certificate" in found.seen


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """Give an authority that this process trusts."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return made


async def test_a_good_certificate_is_good_for_some_days(authority: trustme.CA) -> None:
    async with certified(authority) as port:
        found = await looked_at(port)
    assert (found.state, "days" in found.seen) == ("good", True)


async def test_another_names_certificate_is_bad(authority: trustme.CA) -> None:
    async with certified(authority, "elsewhere.example") as port:
        assert (await looked_at(port)).state == "bad"
