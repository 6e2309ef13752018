"""The MCP endpoint as somebody without a token finds it, and scripts of other origins."""

from collections.abc import AsyncIterator
from http import HTTPStatus

from server.doctor.findings import CHATGPT, CLAUDE, CURSOR, INSPECTOR, VSCODE, Finding, bad, good, unknown
from server.doctor.network import ACCEPT, INITIALIZE
from server.doctor.patient import Patient
from server.doctor.probe import Seen

_ORIGIN = "https://inspector.invalid"
_ALLOWED = (
    *("authorization", "content-type", "mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name"),
    "last-event-id",
)
_EXPOSED = ("www-authenticate", "mcp-session-id", "mcp-protocol-version")
_NOBODYS = "doctor-no-such-thing"
_CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


async def methods(patient: Patient) -> AsyncIterator[Finding]:
    """Ask by GET and DELETE: whether a token is missing comes before whether the method is served."""
    check = "methods without a token"
    for method in ("GET", "DELETE"):
        seen = await patient.probe.send(method, patient.endpoint, headers={"Accept": "text/event-stream"})
        if patient.is_open:
            yield unknown(check, f"{seen}; the server asks for no token")
        elif seen.status == HTTPStatus.UNAUTHORIZED:
            yield good(check, str(seen))
        else:
            advice = f"Answer {method} without a token with 401 before anything else, 405 included."
            yield bad(check, str(seen), advice, (CHATGPT, VSCODE))


async def challenge(patient: Patient) -> AsyncIterator[Finding]:
    """Post without a token, as anybody and as ChatGPT: 401 says where to sign in (RFC 9728 section 5.1)."""
    for agent in ("", "openai-mcp/1.0.0"):
        check = "challenge" + (" to ChatGPT" if agent else "")
        headers = {**ACCEPT, **({"User-Agent": agent} if agent else {})}
        seen = await patient.probe.send("POST", patient.endpoint, content=INITIALIZE, headers=headers)
        clients = (CHATGPT,) if agent else (CLAUDE, CURSOR, VSCODE, INSPECTOR)
        yield _challenge(check, seen, clients, patient)


def _challenge(check: str, seen: Seen, clients: tuple[str, ...], patient: Patient) -> Finding:
    header = seen.headers.get("WWW-Authenticate", "")
    if seen.status == HTTPStatus.OK and (patient.is_open or "protocolVersion" in seen.body.decode(errors="replace")):
        return unknown(check, f"{seen}: no token is needed for this")
    if seen.status != HTTPStatus.UNAUTHORIZED:
        return bad(check, str(seen), "Answer what lacks a token with 401.", clients)
    if not header.lower().startswith("bearer"):
        return bad(check, f"{seen} without WWW-Authenticate: Bearer", "Send that header (RFC 6750 section 3).", clients)
    if "resource_metadata=" not in header:
        advice = "Add resource_metadata with the address of the protected resource's metadata."
        return bad(check, f"{seen} with {header!r}", advice, clients)
    if "scope=" not in header:
        return bad(check, f"{seen} with {header!r}", "Add the scopes that are needed at first.", (VSCODE, INSPECTOR))
    return good(check, f"{seen} with resource_metadata and scope")


async def bad_token(patient: Patient) -> AsyncIterator[Finding]:
    """Send a token that cannot be good: the client must hear that it is over, and sign in anew."""
    check = "a bad token"
    headers = {**ACCEPT, "Authorization": f"Bearer {_NOBODYS}"}
    seen = await patient.probe.send("POST", patient.endpoint, content=INITIALIZE, headers=headers)
    if seen.status == HTTPStatus.UNAUTHORIZED and "invalid_token" in seen.headers.get("WWW-Authenticate", ""):
        yield good(check, f"{seen} with invalid_token")
    elif patient.is_open:
        yield unknown(check, f"{seen}; the server asks for no token")
    else:
        yield bad(check, str(seen), 'Answer it with 401 and error="invalid_token" (RFC 6750 section 3.1).')


async def cors(patient: Patient) -> AsyncIterator[Finding]:
    """Ask as a script in a page of another origin does, which the Inspector is."""
    places = {
        patient.endpoint: "POST",
        f"{patient.origin}/.well-known/oauth-protected-resource{patient.path}": "GET",
        next(iter(patient.documents), ""): "GET",
        patient.place("registration_endpoint"): "POST",
        patient.place("token_endpoint"): "POST",
        patient.place("revocation_endpoint"): "POST",
    }
    for address, method in places.items():
        if address:
            yield await _preflight(patient, address, method)
            if unreadable := await _unreadable(patient, address, method):
                yield unreadable
    seen = await patient.probe.send("POST", patient.endpoint, content=_CALL, headers={**ACCEPT, "Origin": _ORIGIN})
    exposed = seen.headers.get("Access-Control-Expose-Headers", "").lower()
    lacking = [name for name in _EXPOSED if name not in exposed and exposed != "*"]
    if lacking:
        advice = f"Send Access-Control-Expose-Headers with {', '.join(lacking)}."
        yield bad("CORS", f"{seen} without exposing {', '.join(lacking)}", advice, (INSPECTOR,))


async def _preflight(patient: Patient, address: str, method: str) -> Finding:
    asked = {
        "Origin": _ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ", ".join(_ALLOWED),
    }
    seen = await patient.probe.send("OPTIONS", address, headers=asked)
    origin = seen.headers.get("Access-Control-Allow-Origin")
    headers = seen.headers.get("Access-Control-Allow-Headers", "").lower()
    lacking = [name for name in _ALLOWED if name not in headers] if address == patient.endpoint else []
    if origin not in {"*", _ORIGIN}:
        advice = "Answer OPTIONS there, and send Access-Control-Allow-Origin: * with every answer."
        return bad("CORS", f"{seen} without Access-Control-Allow-Origin", advice, (INSPECTOR,))
    if lacking:
        advice = "Name them in Access-Control-Allow-Headers; an asterisk does not cover Authorization."
        return bad("CORS", f"{seen} without allowing {', '.join(lacking)}", advice, (INSPECTOR,))
    return good("CORS", str(seen))


async def _unreadable(patient: Patient, address: str, method: str) -> Finding | None:
    """Ask what the preflight promised: errors, too, are kept from a script unless the answer names its origin."""
    seen = await patient.probe.send(
        method, address, content=[] if method == "POST" else None, headers={**ACCEPT, "Origin": _ORIGIN}
    )
    if seen.headers.get("Access-Control-Allow-Origin") in {"*", _ORIGIN}:
        return None
    advice = "Send Access-Control-Allow-Origin: * with every answer there, errors too, not to OPTIONS alone."
    return bad("CORS", f"{seen} without Access-Control-Allow-Origin", advice, (INSPECTOR,))


async def sessions(patient: Patient) -> AsyncIterator[Finding]:
    """Come with a session id that nobody gave: 404 makes a client begin anew."""
    check = "unknown sessions"
    headers = {**ACCEPT, "Mcp-Session-Id": _NOBODYS, "MCP-Protocol-Version": "2025-11-25"}
    seen = await patient.probe.send("POST", patient.endpoint, content=_CALL, headers=headers)
    if seen.status == HTTPStatus.UNAUTHORIZED:
        yield unknown(check, "cannot be seen without a token")
    elif seen.status in {HTTPStatus.NOT_FOUND, HTTPStatus.OK}:
        yield good(check, str(seen))
    else:
        advice = "Answer an unknown session id with 404, so that the client begins a new one."
        yield bad(check, str(seen), advice, (CHATGPT, CLAUDE, CURSOR))
