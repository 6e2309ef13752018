"""A dry run of authorization requests, as each client writes them; nothing is approved."""

import base64
import hashlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from urllib.parse import quote, urlencode, urljoin

from server.doctor.findings import CHATGPT, CLAUDE, CURSOR, INSPECTOR, VSCODE, Finding, bad, good, unknown
from server.doctor.patient import OTHER_PORT_URI, REDIRECT_URI, Patient
from server.doctor.probe import Seen

CHATGPT_ID = "https://chatgpt.com/oauth/client.json"
CHATGPT_CALLBACK = "https://chatgpt.com/connector_platform_oauth_redirect"
_STATE = "doctor-state"
_CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(b"doctor").digest()).rstrip(b"=").decode()


async def ask(patient: Patient, **parameters: str) -> Seen:
    """Send the usual authorization request, with these parameters in place of its own."""
    asked = {
        "response_type": "code",
        "client_id": str(patient.registered.get("client_id", "")),
        "redirect_uri": REDIRECT_URI,
        "state": _STATE,
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
        "resource": patient.endpoint,
        **parameters,
    }
    return await patient.probe.get(f"{patient.place('authorization_endpoint')}?{urlencode(asked, quote_via=quote)}")


def goes_on(seen: Seen) -> bool:
    """Tell whether a request leads to a page for the person rather than to an error."""
    if seen.is_redirect:
        return "error" not in seen.returned and not seen.location.startswith(REDIRECT_URI)
    return seen.status == HTTPStatus.OK


async def request(patient: Patient) -> AsyncIterator[Finding]:
    """Send the usual request, and open the page that it leads to."""
    check = "authorization request"
    seen = await ask(patient)
    if not goes_on(seen):
        yield bad(check, _told(seen), "Accept a request with PKCE, state and resource as clients send it.")
        return
    yield good(check, f"{seen} and leads to a page")
    for finding in await _page(patient, seen):
        yield finding


async def _page(patient: Patient, seen: Seen) -> list[Finding]:
    """Look at the page's policy: Chromium applies ``form-action`` to the redirect after the form."""
    page = seen
    if seen.is_redirect:
        cookies = "; ".join(line.partition(";")[0] for line in seen.headers.getall("Set-Cookie", []))
        target = urljoin(patient.place("authorization_endpoint"), seen.location)
        page = await patient.probe.send("GET", target, headers={"Cookie": cookies} if cookies else None)
    policy = page.headers.get("Content-Security-Policy", "")
    findings = []
    if "form-action" in policy.lower():
        advice = "Leave form-action out of the page's Content-Security-Policy: it blocks the way back to every client."
        findings.append(bad("consent button", f"the page's policy says {policy!r}", advice))
    else:
        findings.append(good("consent button", "the page's policy lets the way back be"))
    framed = "frame-ancestors" in policy.lower() or "X-Frame-Options" in page.headers
    if not framed and page.status == HTTPStatus.OK:
        advice = "Send frame-ancestors 'none' or X-Frame-Options: DENY, or another site can put the page into its own."
        findings.append(bad("click-jacking", "the page may be framed", advice, ()))
    return findings


async def scopes(patient: Patient) -> AsyncIterator[Finding]:
    """Ask for scopes in each way in which clients write them."""
    check, all_of_them = "scopes", " ".join(patient.supported("scopes_supported"))
    ways = {
        "none": "",
        "one with a space before it": f" {all_of_them.partition(' ')[0]}",
        "all that exist": all_of_them,
    }
    advice = "Take an absent or empty scope for the default ones, trim it, and grant what is advertised."
    for way, scope in ways.items():
        seen = await ask(patient, scope=scope)
        yield _judged(check, seen, f"asking for {way}", advice, (CHATGPT, INSPECTOR))


async def resources(patient: Patient) -> AsyncIterator[Finding]:
    """Name the resource in each way in which clients write it (RFC 8707)."""
    check = "resource forms"
    advice = "Take the origin, and forms with a slash at the end, for this server too."
    for form in (f"{patient.endpoint}/", patient.origin, f"{patient.origin}/"):
        yield _judged(check, await ask(patient, resource=form), form, advice, (CURSOR, VSCODE))


async def loopback_port(patient: Patient) -> AsyncIterator[Finding]:
    """Come back with another port on loopback than was registered (RFC 8252 section 7.3)."""
    advice = "Let the port of a loopback redirect URI differ from the registered one."
    seen = await ask(patient, redirect_uri=OTHER_PORT_URI)
    yield _judged("loopback ports", seen, "another port", advice, (CLAUDE, VSCODE, INSPECTOR))


async def errors(patient: Patient) -> AsyncIterator[Finding]:
    """Ask for what cannot be had: the client must hear of it, with its state and the issuer (RFC 9207)."""
    check = "errors to the client"
    seen = await ask(patient, response_type="token")
    if not seen.is_redirect or "error" not in seen.returned:
        yield bad(check, str(seen), "Send errors to the redirect URI once that is known to be good.", (CHATGPT, CLAUDE))
        return
    state = seen.returned.get("state")
    if state != _STATE:
        yield bad(check, f"the state came back as {state!r}", "Give the state back exactly as it was sent.")
    advertised = patient.metadata.get("authorization_response_iss_parameter_supported") is True
    iss = seen.returned.get("iss")
    if iss == patient.metadata.get("issuer"):
        yield good("iss", "is on errors too, and equals the issuer")
    elif advertised:
        advice = "Put iss on every redirect to the client, errors too, exactly as the issuer is written."
        yield bad("iss", f"is advertised, and came as {iss!r}", advice, (CHATGPT,))
    else:
        advice = "Put iss on every redirect and advertise authorization_response_iss_parameter_supported."
        yield bad("iss", "is neither sent nor advertised", advice, (CHATGPT,))


async def unknown_client(patient: Patient) -> AsyncIterator[Finding]:
    """Come with a client id that nobody gave: exactly 400 makes clients register anew."""
    check = "unknown clients at the authorization endpoint"
    seen = await ask(patient, client_id="doctor-nobody")
    if seen.status == HTTPStatus.BAD_REQUEST:
        yield good(check, str(seen))
    else:
        yield bad(
            check, _told(seen), "Answer an unknown client with a page and status 400, and never redirect.", (CURSOR,)
        )


async def chatgpt(patient: Patient) -> AsyncIterator[Finding]:
    """Come as ChatGPT does, whose id is the address of its document."""
    check = "ChatGPT's URL client id"
    if patient.metadata.get("client_id_metadata_document_supported") is not True:
        yield unknown(check, "URL client ids are not advertised; ChatGPT registers instead")
        return
    seen = await ask(patient, client_id=CHATGPT_ID, redirect_uri=CHATGPT_CALLBACK)
    if goes_on(seen):
        yield good(check, "is accepted")
    else:
        yield unknown(
            check, f"{seen}; the server's log says whether it could not fetch or would not accept {CHATGPT_ID}"
        )


def _judged(check: str, seen: Seen, way: str, advice: str, clients: tuple[str, ...]) -> Finding:
    """Say whether a way to write the request is accepted."""
    return good(check, f"{way} is accepted") if goes_on(seen) else bad(check, f"{way}: {_told(seen)}", advice, clients)


def _told(seen: Seen) -> str:
    if not seen.is_redirect:
        return str(seen)
    told = seen.returned
    return (
        f"{seen.asked} answered {told.get('error', seen.status)}: {told.get('error_description', seen.location)[:200]}"
    )
