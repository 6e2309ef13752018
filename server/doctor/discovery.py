"""What clients read before anything else: both metadata documents, at each address where some client looks."""

from collections.abc import AsyncIterator
from http import HTTPStatus

from server.doctor.findings import CHATGPT, CLAUDE, CURSOR, EVERY_CLIENT, INSPECTOR, VSCODE, Finding, bad, good, unknown
from server.doctor.patient import Patient

_NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "response_types_supported")


async def resource_metadata(patient: Patient) -> AsyncIterator[Finding]:
    """Look for the protected resource's metadata at the root and below it (RFC 9728 section 3)."""
    check, root = "protected resource metadata", f"{patient.origin}/.well-known/oauth-protected-resource"
    for address in (root, root + patient.path):
        seen = await patient.probe.get(address)
        if seen.status == HTTPStatus.OK and seen.is_json and seen.json:
            yield good(check, f"{address} is there")
        else:
            clients = (CURSOR, INSPECTOR) if address == root else EVERY_CLIENT
            yield bad(check, str(seen), f"Serve the document as JSON at {address} too.", clients)


async def resource(patient: Patient) -> AsyncIterator[Finding]:
    """Compare the resource that the document names with the endpoint: all but one client insist on equality."""
    check, named = "resource", patient.described.get("resource")
    if not patient.described:
        yield unknown(check, "there is no document that names it")
    elif named == patient.endpoint:
        yield good(check, f"{named}, as the endpoint is written")
    else:
        advice = f"Name exactly {patient.endpoint}, or have people connect to the address that it names."
        yield bad(check, f"the document names {named!r}", advice, (CLAUDE, CURSOR, VSCODE, INSPECTOR))


async def authorization_servers(patient: Patient) -> AsyncIterator[Finding]:
    """See that the resource says where to sign in (RFC 9728 section 2)."""
    check, named = "authorization server", patient.described.get("authorization_servers")
    if isinstance(named, list) and named:
        yield good(check, ", ".join(map(str, named)))
    elif patient.described:
        yield bad(check, "the document names none", "Put the issuer into authorization_servers.")
    else:
        yield unknown(check, "there is no document that names it")


async def server_metadata(patient: Patient) -> AsyncIterator[Finding]:
    """Look for the authorization server's metadata in every form (RFC 8414 section 3, OpenID Connect Discovery)."""
    check = "authorization server metadata"
    for address, seen in patient.documents.items():
        if seen.status == HTTPStatus.OK and seen.is_json and seen.json == patient.metadata:
            yield good(check, f"{address} is there")
        elif seen.status == HTTPStatus.OK and seen.is_json and seen.json:
            yield bad(check, f"{address} is another document", "Serve the same document at every address.")
        else:
            yield bad(check, str(seen), f"Serve the document as JSON at {address} too; some client asks there first.")


async def issuer(patient: Patient) -> AsyncIterator[Finding]:
    """Compare the issuer with the address under which it was found, as exact strings (RFC 8414 section 3.3)."""
    check, named = "issuer", patient.metadata.get("issuer")
    if named == patient.issuer:
        yield good(check, str(named))
    else:
        yield bad(check, f"{named!r}, found by {patient.issuer}", "Write the issuer alike everywhere, slash and all.")


async def members(patient: Patient) -> AsyncIterator[Finding]:
    """See that the metadata has what clients stop without."""
    check = "metadata members"
    if missing := [member for member in _NEEDED if not patient.metadata.get(member)]:
        yield bad(check, f"without {', '.join(missing)}", "Add them (RFC 8414 section 2).")
    else:
        yield good(check, "all that clients need")


async def pkce(patient: Patient) -> AsyncIterator[Finding]:
    """See that PKCE is advertised: clients of MCP must refuse to go on otherwise."""
    if "S256" in patient.supported("code_challenge_methods_supported"):
        yield good("PKCE", "S256 is advertised")
    else:
        yield bad("PKCE", "S256 is not advertised", 'Add "code_challenge_methods_supported": ["S256"].')


async def public_clients(patient: Patient) -> AsyncIterator[Finding]:
    """See that clients without a secret are told that they may come."""
    if "none" in patient.supported("token_endpoint_auth_methods_supported"):
        yield good("public clients", "the method none is advertised")
    else:
        advice = 'Add "none" to token_endpoint_auth_methods_supported.'
        yield bad("public clients", "the method none is not advertised", advice, (CLAUDE, VSCODE, CURSOR, INSPECTOR))


async def client_ids(patient: Patient) -> AsyncIterator[Finding]:
    """See that a client which nobody knows yet can get an id: by its own URL, or by registering."""
    check = "client ids"
    ways = {
        "URL client ids": patient.metadata.get("client_id_metadata_document_supported") is True,
        "registration": bool(patient.place("registration_endpoint")),
    }
    if ways["registration"]:
        yield good(check, " and ".join(way for way, open_ in ways.items() if open_))
    elif ways["URL client ids"]:
        yield bad(
            check, "URL client ids alone", "Open registration, if these clients are to come.", (CURSOR, INSPECTOR)
        )
    else:
        yield bad(check, "neither URL client ids nor registration", "Open one, or give each client a static id.")


async def refresh(patient: Patient) -> AsyncIterator[Finding]:
    """See that refresh tokens are advertised: without them people sign in anew each time that a token ends."""
    grants = patient.metadata.get("grant_types_supported")
    if isinstance(grants, list) and "refresh_token" in grants:
        yield good("refresh tokens", "are advertised")
    else:
        advice = "Issue refresh tokens, and add refresh_token to grant_types_supported."
        yield bad("refresh tokens", "are not advertised", advice, (CHATGPT, CLAUDE))


async def unknown_documents(patient: Patient) -> AsyncIterator[Finding]:
    """Ask for a document that there cannot be: a page in its place is taken for one."""
    check = "unknown documents"
    seen = await patient.probe.get(f"{patient.origin}/.well-known/no-such-document")
    if seen.status == HTTPStatus.NOT_FOUND and isinstance(seen.json.get("error"), str):
        yield good(check, "404 in JSON")
    else:
        advice = 'Answer other addresses below /.well-known/ with 404 and JSON such as {"error": "not_found"}.'
        yield bad(check, str(seen), advice, (CHATGPT, INSPECTOR))
