"""Every page with a friendly and, where outsiders' words come in, a hostile context."""

from typing import Any

SCOPES = [
    {"name": "read", "description": "Look up stores and plans", "implied": []},
    {"name": "account", "description": "See your accounts, balances and saved payment methods", "implied": []},
]
MORE = [
    {
        "name": "payment",
        "description": "Make payments with your saved payment methods",
        "implied": ["Look up stores and plans"],
    }
]
CONSENT: dict[str, Any] = {
    "client_name": "Example Assistant",
    "verified": True,
    "client_host": "assistant.example",
    "client_id": "https://assistant.example/client.json",
    "redirect_host": "assistant.example",
    "loopback_only": False,
    "scopes": SCOPES,
    "kept": [],
    "user": {"name": "Ada", "email": "ada@example.com", "demo": False, "switch": None},
    "handle": "a-handle",
    "seen": "",
    "action": "/oauth/authorize/approve",
}
SWITCHING = {**CONSENT["user"], "switch": "/signin?request=a-handle"}
SCRIPT = "<script>alert(1)</script><img src=//evil.example/x onerror=alert(1)>\"'><b>"
HOSTILE = {
    **CONSENT,
    "client_name": f"\u202emoc.elpmaxe {SCRIPT}" + "W" * 2_000,
    "verified": False,
    "client_host": "h" * 250 + ".evil.example",
    "client_id": SCRIPT + "x" * 300,
    "redirect_host": "a" * 250 + ".evil.example",
    "loopback_only": True,
    "scopes": [*SCOPES, {"name": "s" * 200, "description": SCRIPT + "d" * 500, "implied": ["i" * 200]}],
    "kept": [{"name": "k" * 200, "description": SCRIPT + "d" * 500, "implied": ["i" * 200]}],
    "user": {"name": "Z" + "\u0301" * 500 + SCRIPT + "u" * 500, "email": SCRIPT, "demo": True, "switch": None},
}
INDEX = {
    "name": "Example server",
    "connector_url": "http://localhost:8000/mcp",
    "issuer": "http://localhost:8000",
    "oauth_enabled": True,
    "demo": True,
    "version": "1.2.3",
    "tools": [
        {"title": "Find a store", "name": "store-locator", "description": "Finds a store.", "scopes": ["read"]},
        {"title": "", "name": "x" * 128, "description": SCRIPT + "y" * 500, "scopes": ["a", "b"]},
    ],
}
ERROR = {"title": "This link is over", "message": "It was used.", "advice": "Start again.", "status": 400}
HOP = {
    "provider": "Google",
    "action": "/signin/provider",
    "csrf": "0" * 64,
    "waiting": False,
    "handle": "",
    "another": True,
    "notice": "",
}
SHOWN = ("client_name", "verified", "client_host", "client_id", "redirect_host", "loopback_only", "scopes")
PROVIDER = {**HOP, "waiting": True, "handle": "a-handle", "another": False, **{name: CONSENT[name] for name in SHOWN}}
HOSTILE_HOP = {"provider": "p" * 250 + ".example", **{name: HOSTILE[name] for name in SHOWN}}
FAILURE = {
    **ERROR,
    "request_id": "8f3a",
    "again": "/signin?request=a-handle",
    "waiting": True,
    "action": "/signin/provider/failed",
    "csrf": "0" * 64,
    "handle": "a-handle",
    "because": "Unreachable",
    "back_to": "a" * 250 + ".example",
}
SIGNIN: dict[str, Any] = {
    "action": "/signin",
    "deny": "/oauth/authorize/approve",
    "waiting": False,
    "handle": "",
    "client_name": "",
    "hint": "",
    "csrf": "a-csrf",
    "problem": "",
    "notice": "You are signed out.",
    "signed_in_as": None,
    "passkey_options": None,
}
HOSTILE_SIGNIN = {
    **SIGNIN,
    "waiting": True,
    "handle": "a-handle",
    "client_name": SCRIPT + "W" * 2_000,
    "hint": SCRIPT + "h" * 500,
    "problem": "That is not a username with its password.",
    "passkey_options": "{}",
    "signed_in_as": "Z" + "\u0301" * 500 + SCRIPT + "u" * 500,
}
PASSKEY: dict[str, Any] = {
    "credential_id": "a",
    "name": "My phone",
    "synced": True,
    "added": "15 January 2027",
    "last": "16 January 2027",
}
ACCOUNT: dict[str, Any] = {
    "user": {
        "name": "Ada Lovelace",
        "username": "ada",
        "email": "ada@example.com",
        "signed_in": "15 January 2027, 08:00 UTC",
        "method": "by password",
        "address": "192.0.2.7",
    },
    "applications": [
        {
            "client_id": "att_cl_1",
            "name": "Example Assistant",
            "host": "assistant.example",
            "scopes": SCOPES,
            "grants": 1,
            "first": "15 January 2027, 08:00 UTC",
            "last": "15 January 2027, 09:00 UTC",
            "address": "192.0.2.7",
        },
        {
            "client_id": "att_cl_2",
            "name": "Another",
            "host": None,
            "scopes": MORE,
            "grants": 0,
            "first": "15 January 2027, 08:00 UTC",
            "last": None,
            "address": None,
        },
    ],
    "passkeys": {
        "entries": [PASSKEY, {**PASSKEY, "credential_id": "b", "name": "A key", "synced": False, "last": None}],
        "options": "{}",
        "full": False,
        "sure": True,
    },
    "has_password": True,
    "shortest": 10,
    "csrf": "a-csrf",
    "problem": "",
    "notice": "It is taken back.",
}
HOSTILE_ACCOUNT = {
    **ACCOUNT,
    "user": {**ACCOUNT["user"], "name": SCRIPT + "u" * 500, "username": "n" * 64, "email": "e" * 250 + "@example.com"},
    "applications": [
        {
            **ACCOUNT["applications"][0],
            "client_id": SCRIPT,
            "name": f"\u202emoc.elpmaxe {SCRIPT}" + "W" * 2_000,
            "host": "h" * 250 + ".evil.example",
            "scopes": [{"name": "s" * 200, "description": SCRIPT + "d" * 500}],
            "address": "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
        },
        {**ACCOUNT["applications"][1], "name": " \u3164"},
    ],
    "passkeys": {
        "entries": [{**PASSKEY, "name": SCRIPT + "W" * 60}, {**PASSKEY, "credential_id": "b", "name": " \u3164"}],
        "options": None,
        "full": False,
        "sure": False,
    },
    "problem": "The two new passwords differ.",
    "notice": "",
}
INVITATION: dict[str, Any] = {
    "username": "ada",
    "person": "Ada Lovelace",
    "shortest": 10,
    "token": "a-token",
    "csrf": "a-csrf",
    "action": "/invitation",
    "problem": "",
}
REFUSED: dict[str, Any] = {
    **ERROR,
    "status": 403,
    "request_id": "8f3a",
    "again": "/signin?request=a-handle",
    "handle": "a-handle",
    "deny": "/oauth/authorize/approve",
}
CONTEXTS: dict[str, tuple[str, dict[str, Any]]] = {
    "index": ("index.html", INDEX),
    "open": (
        "index.html",
        {
            **INDEX,
            "connector_url": "https://as-long-as-the-names-of-tunnels-often-are.trycloudflare.com/mcp",
            "oauth_enabled": False,
        },
    ),
    "consent": ("consent.html", CONSENT),
    "step-up": ("consent.html", {**CONSENT, "scopes": MORE, "kept": SCOPES, "user": SWITCHING}),
    "hostile": ("consent.html", HOSTILE),
    "error": ("error.html", {**ERROR, "request_id": "8f3a"}),
    "hostile-error": ("error.html", {**ERROR, "message": SCRIPT + "m" * 500}),
    "account": ("account_demo.html", {}),
    "closed": ("index.html", {**INDEX, "demo": False}),
    "signin": ("signin.html", SIGNIN),
    "hostile-signin": ("signin.html", HOSTILE_SIGNIN),
    "my-account": ("account.html", ACCOUNT),
    "bare-account": (
        "account.html",
        {**ACCOUNT, "applications": [], "passkeys": None, "has_password": False, "notice": ""},
    ),
    "full-account": ("account.html", {**ACCOUNT, "passkeys": {**ACCOUNT["passkeys"], "options": None, "full": True}}),
    "hostile-account": ("account.html", HOSTILE_ACCOUNT),
    "invitation": ("invitation.html", INVITATION),
    "refused": ("refused.html", REFUSED),
    "hostile-refused": ("refused.html", {**REFUSED, "message": SCRIPT + "m" * 500, "handle": None}),
    "hostile-invitation": (
        "invitation.html",
        {**INVITATION, "person": SCRIPT + "u" * 500, "token": SCRIPT, "problem": "The two passwords differ."},
    ),
    "provider": ("provider.html", PROVIDER),
    "hostile-provider": ("provider.html", {**PROVIDER, **HOSTILE_HOP}),
    "provider-alone": ("provider.html", {**HOP, "notice": "You are signed out."}),
    "failure": ("failure.html", FAILURE),
    "failure-alone": ("failure.html", {**FAILURE, "message": SCRIPT + "m" * 500, "again": "", "waiting": False}),
}
