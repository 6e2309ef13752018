"""Registering as clients do: what is accepted, what comes back, and that it can be removed again."""

from collections.abc import AsyncIterator
from http import HTTPStatus

from server.doctor.findings import CURSOR, EVERY_CLIENT, INSPECTOR, VSCODE, Finding, bad, good, unknown
from server.doctor.patient import CURSOR_URIS, LOOPBACK_URI, ODD_URI, REDIRECT_URI, Patient
from server.doctor.probe import Seen

_SECRET_METHODS = ("client_secret_post", "client_secret_basic")


async def registration(patient: Patient) -> AsyncIterator[Finding]:
    """Register a public client, which the dry run of an authorization then uses."""
    check = "registration"
    seen = await register(patient, "none", REDIRECT_URI, LOOPBACK_URI)
    if seen.status != HTTPStatus.CREATED or not isinstance(seen.json.get("client_id"), str):
        closed = seen.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        advice = "Open it, or do not advertise it." if closed else "Accept a public client with usual redirect URIs."
        yield bad(check, str(seen), advice)
        return
    patient.registered = seen.json
    yield good(check, str(seen))
    if "client_secret" in seen.json:
        advice = "Give no secret to a client that registers the method none: some then send it, and are refused."
        yield bad("registration without a secret", "a secret came back", advice, (CURSOR, VSCODE))
    echoed = seen.json.get("grant_types")
    if isinstance(echoed, list) and "refresh_token" not in echoed:
        advice = "Register the refresh_token grant when it is asked for."
        yield bad("registration of refresh tokens", f"came back as {' '.join(map(str, echoed))}", advice)


async def methods(patient: Patient) -> AsyncIterator[Finding]:
    """Register with each method of authentication, since clients ask for any."""
    check = "registration with a secret"
    for method in _SECRET_METHODS:
        seen = await register(patient, method, REDIRECT_URI)
        await remove(patient, seen)
        if seen.status == HTTPStatus.CREATED and seen.json.get("client_secret"):
            yield good(check, f"{method} is accepted")
        elif seen.status == HTTPStatus.CREATED and seen.json.get("token_endpoint_auth_method") == "none":
            yield good(check, f"{method} becomes none, and the answer says so")
        else:
            yield bad(check, f"{method}: {seen}", "Accept it, or register another method and say which.", EVERY_CLIENT)


async def odd_redirect_uris(patient: Patient) -> AsyncIterator[Finding]:
    """Register a bad redirect URI beside good ones, and the three that Cursor sends."""
    check = "odd redirect URIs"
    seen = await register(patient, "none", *CURSOR_URIS)
    await remove(patient, seen)
    if seen.status == HTTPStatus.CREATED:
        yield good("Cursor's redirect URIs", str(seen))
    else:
        advice = "Accept schemes of apps with a host, such as cursor://, beside https and loopback."
        yield bad("Cursor's redirect URIs", str(seen), advice, (CURSOR,))
    seen = await register(patient, "none", REDIRECT_URI, ODD_URI)
    await remove(patient, seen)
    if ODD_URI in (seen.json.get("redirect_uris") or []):
        yield bad(check, f"{ODD_URI} was registered", "Refuse schemes that browsers handle themselves.", ())
    elif seen.status == HTTPStatus.CREATED:
        yield good(check, "the bad one was left out")
    else:
        advice = "Leave it out and register the rest; one odd redirect URI must not refuse all."
        yield bad(check, str(seen), advice, (VSCODE, INSPECTOR))


async def removal(patient: Patient) -> AsyncIterator[Finding]:
    """Remove what was registered (RFC 7592 section 2.3)."""
    check = "removal of the registration"
    if await _removed(patient, patient.registered):
        yield good(check, "the client was removed again")
    else:
        client_id = patient.registered["client_id"]
        yield unknown(check, f"the server offers none, so the client {client_id} stays; so do those tried beside it")


async def register(patient: Patient, method: str, *redirect_uris: str) -> Seen:
    """Register a client."""
    asked = {
        "client_name": "att-mcp-server doctor",
        "redirect_uris": redirect_uris,
        "token_endpoint_auth_method": method,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }
    return await patient.probe.send("POST", patient.place("registration_endpoint"), content=asked)


async def remove(patient: Patient, seen: Seen) -> None:
    """Remove a client that was registered for a moment, if that is possible."""
    await _removed(patient, seen.json)


async def _removed(patient: Patient, client: dict[str, object]) -> bool:
    place, token = client.get("registration_client_uri"), client.get("registration_access_token")
    if not isinstance(place, str) or not isinstance(token, str):
        return False
    seen = await patient.probe.send("DELETE", place, headers={"Authorization": f"Bearer {token}"})
    return seen.status == HTTPStatus.NO_CONTENT
