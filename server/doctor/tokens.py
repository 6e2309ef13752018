"""The token endpoint as clients meet it when something is wrong."""

from collections.abc import AsyncIterator
from http import HTTPStatus

from server.doctor.findings import CHATGPT, CLAUDE, CURSOR, VSCODE, Finding, bad, good
from server.doctor.patient import Patient

_BURST = 15
_FORM = {"grant_type": "authorization_code", "code": "none", "code_verifier": "v" * 43}


async def unknown_client(patient: Patient) -> AsyncIterator[Finding]:
    """Come with a client id that nobody gave: ``invalid_client`` makes clients register anew."""
    check, place = "unknown clients at the token endpoint", patient.place("token_endpoint")
    seen = await patient.probe.send("POST", place, form={**_FORM, "client_id": "doctor-nobody"})
    if seen.status == HTTPStatus.UNAUTHORIZED and seen.json.get("error") == "invalid_client":
        yield good(check, str(seen))
    else:
        advice = "Answer an unknown or removed client with 401 and invalid_client in JSON (RFC 6749 section 5.2)."
        yield bad(check, str(seen), advice, (CLAUDE, CURSOR, VSCODE))


async def bad_code(patient: Patient) -> AsyncIterator[Finding]:
    """Present a code that cannot be good."""
    check, place = "errors of the token endpoint", patient.place("token_endpoint")
    client = {"client_id": str(patient.registered["client_id"]), "redirect_uri": "https://doctor.invalid/callback"}
    seen = await patient.probe.send("POST", place, form={**_FORM, **client})
    if seen.status == HTTPStatus.BAD_REQUEST and seen.json.get("error") == "invalid_grant":
        yield good(check, str(seen))
    else:
        yield bad(check, str(seen), "Answer a bad code with 400 and invalid_grant in JSON (RFC 6749 section 5.2).")


async def burst(patient: Patient) -> AsyncIterator[Finding]:
    """Send some requests at once: a whole assistant's users come from few addresses."""
    check, place = "rate limits", patient.place("token_endpoint")
    for number in range(_BURST):
        seen = await patient.probe.send("POST", place, form={**_FORM, "client_id": "doctor-nobody"})
        if seen.status == HTTPStatus.TOO_MANY_REQUESTS:
            advice = "Allow bursts of some 60 requests from one address: an assistant's users share a few."
            yield bad(check, f"429 after {number} requests", advice, (CHATGPT, CLAUDE))
            return
    yield good(check, f"{_BURST} requests in a row were served")
