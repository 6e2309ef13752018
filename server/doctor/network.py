"""The way to a server: its name, its certificate, redirects, its clock, and what answers in its place."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from server.app import system_clock
from server.doctor.findings import CHATGPT, CLAUDE, Finding, bad, good, unknown
from server.doctor.patient import Patient
from server.doctor.probe import TIMEOUT
from server.origins import is_loopback

_SOON = 14
"""Days before a certificate's end at which it should have been renewed."""
_SKEW = 60
"""Seconds by which clocks may differ."""

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "doctor", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


async def name(patient: Patient) -> AsyncIterator[Finding]:
    """Look the host up: assistants that run elsewhere reach public addresses only."""
    check, host = "DNS", urlsplit(patient.endpoint).hostname or ""
    if is_loopback(host):
        yield unknown(check, f"{host} is this machine itself, which only programs on it can reach")
        return
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        yield bad(check, f"{host} cannot be looked up ({error})", "Give the name an A or AAAA record.")
        return
    addresses = sorted({str(entry[4][0]).partition("%")[0] for entry in found})
    private = [address for address in addresses if not ipaddress.ip_address(address).is_global]
    if private:
        advice = "Point the name at a public address; assistants that run elsewhere cannot reach this one."
        yield bad(check, f"{host} is {', '.join(private)}", advice, (CHATGPT, CLAUDE))
    else:
        yield good(check, f"{host} is {', '.join(addresses)}")


async def tls(patient: Patient) -> AsyncIterator[Finding]:
    """Check the certificate as a client does, and how long it is still good."""
    check, parts = "TLS", urlsplit(patient.endpoint)
    if parts.scheme != "https":
        if is_loopback(parts.hostname or ""):
            yield unknown(check, "plain http, which is fine on this machine and nowhere else")
        else:
            yield bad(check, "plain http", "Put a proxy or tunnel with TLS before the server.")
        return
    try:
        _, writer = await asyncio.wait_for(
            asyncio.open_connection(parts.hostname, parts.port or 443, ssl=ssl.create_default_context()), TIMEOUT
        )
    except (OSError, TimeoutError) as error:
        advice = "Serve a certificate for this name, with its whole chain, from a public authority."
        yield bad(check, f"the connection fails: {str(error) or type(error).__name__}", advice)
        return
    certificate = writer.get_extra_info("peercert")
    writer.close()
    left = (ssl.cert_time_to_seconds(certificate["notAfter"]) - system_clock()) / 86_400
    if left < _SOON:
        yield bad(check, f"the certificate ends in {left:.0f} days", "Renew it, and see that renewal works by itself.")
    else:
        yield good(check, f"the certificate is good for another {left:.0f} days")


async def redirects(patient: Patient) -> AsyncIterator[Finding]:
    """Post to the endpoint: clients do not repeat a POST elsewhere, and lose their token on the way."""
    seen = await patient.probe.send("POST", patient.endpoint, content=INITIALIZE, headers=ACCEPT)
    if seen.is_redirect:
        advice = "Give clients the address that it leads to, or answer at this one; a redirected POST is not repeated."
        yield bad("redirects", f"{seen} and leads to {seen.location.partition('?')[0]}", advice)
    elif not seen.status:
        patient.is_silent = True
        yield bad("redirects", str(seen), "Start the server, and let nothing block the way to it.")
    else:
        yield good("redirects", str(seen))


async def challenges(patient: Patient) -> AsyncIterator[Finding]:
    """See whether a page for browsers stands before what programs call."""
    check = "challenge pages"
    for seen in (patient.resource, *patient.documents.values(), await patient.probe.get(patient.endpoint)):
        if seen.is_challenge:
            advice = "Exempt these paths from challenges and bot protection in whatever stands before the server."
            yield bad(check, f"{seen} with a page for browsers", advice)
            return
    yield good(check, "none was met")


async def clock(patient: Patient) -> AsyncIterator[Finding]:
    """Compare clocks: tokens and assertions carry times."""
    check, stated = "clock", patient.resource.headers.get("Date")
    if stated is None:
        yield unknown(check, "answers carry no date")
        return
    try:
        skew = system_clock() - parsedate_to_datetime(stated).timestamp()
    except (ValueError, TypeError):
        yield bad(check, f"the date of its answers is {stated!r}", "Send an HTTP date.", ())
        return
    if abs(skew) > _SKEW:
        yield bad(check, f"{abs(skew):.0f} s apart from this machine's", "Synchronise the clocks, such as by NTP.")
    else:
        yield good(check, f"within {max(abs(skew), 1):.0f} s of this machine's")


async def caching(patient: Patient) -> AsyncIterator[Finding]:
    """See whether something between keeps answers that are for one client only."""
    check = "caches"
    endpoint = await patient.probe.get(patient.endpoint)
    for seen in (endpoint, *patient.documents.values()):
        status = seen.headers.get("CF-Cache-Status", seen.headers.get("X-Cache", "")).upper()
        kept = "HIT" in status or int(seen.headers.get("Age", "0") or 0) > 0
        if kept and (seen is endpoint or seen.status != HTTPStatus.OK):
            yield bad(check, f"{seen} from a cache", "Let the proxy or CDN bypass its cache for this host.")
            return
    token = patient.place("token_endpoint")
    if not token:
        yield good(check, "no answer came from one")
        return
    refused = await patient.probe.send("POST", token, form={"grant_type": "authorization_code"})
    if "no-store" in refused.headers.get("Cache-Control", "").lower():
        yield good(check, "no answer came from one, and the token endpoint forbids it")
    else:
        advice = "Send Cache-Control: no-store with every answer of the token endpoint (RFC 6749 section 5.1)."
        yield bad(check, f"{refused} without Cache-Control: no-store", advice, ())
