"""Proof key for code exchange (RFC 7636); ``S256`` alone, as OAuth 2.1 and MCP ask."""

import base64
import hashlib
import hmac
import re

_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def is_well_formed(value: str) -> bool:
    """Tell whether a challenge or verifier is 43 to 128 unreserved characters (RFC 7636 sections 4.1 and 4.2)."""
    return _UNRESERVED.fullmatch(value) is not None


def verify(code_challenge: str, code_verifier: str) -> bool:
    """Tell whether a well-formed verifier is the one behind the challenge (RFC 7636 section 4.6)."""
    hashed = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii"), code_challenge)
