"""What is in the pages and their headers, read by a parser."""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from server.handlers import pages
from tests.pages.contexts import CONTEXTS
from tests.pages.parsed import Page

SCRIPT = Path(pages.__file__).parent.parent / "templates/passkeys.js"
SCRIPTED = frozenset({"hostile-signin", "my-account"})
"""Those that offer a passkey, which takes a script."""

Client = TestClient[web.Request, web.Application]
MakeSite = Callable[[], web.Application]


@pytest.fixture
async def client(make_site: MakeSite, aiohttp_client: Callable[[web.Application], Awaitable[Client]]) -> Client:
    return await aiohttp_client(make_site())


async def read(client: Client, name: str) -> Page:
    return Page(await (await client.get(f"/{name}")).text())


def show(make_site: MakeSite, name: str, **changes: Any) -> Page:
    """Render a page with some of its context changed."""
    template, context = CONTEXTS[name]
    return Page(aiohttp_jinja2.get_env(make_site()).get_template(template).render(context | changes))


@pytest.mark.parametrize("name", CONTEXTS)
async def test_every_page_has_a_language_a_title_one_heading_and_one_main(client: Client, name: str) -> None:
    page = await read(client, name)
    assert page.all("html") == [{"lang": "en"}]
    assert [len(page.all(tag)) for tag in ("title", "h1", "main", "header", "style")] == [1] * 5


@pytest.mark.parametrize("name", CONTEXTS)
async def test_no_page_holds_script_or_style_attributes_or_loads_anything(client: Client, name: str) -> None:
    page = await read(client, name)
    assert page.all("script") == ([{}] if name in SCRIPTED else [])
    assert {tag for tag, _ in page.elements}.isdisjoint({"img", "iframe", "object", "embed", "base"})
    for tag, attributes in page.elements:
        assert not [a for a in attributes if a == "style" or a.startswith("on") or a in {"src", "srcset"}], tag
    [icon] = page.all("link")
    assert (icon["href"] or "").startswith("data:image/svg+xml,")
    assert all((link["href"] or "").startswith("/") for link in page.all("a"))


@pytest.mark.parametrize("name", CONTEXTS)
async def test_the_policy_allows_exactly_the_style_and_the_script_that_the_page_may_carry(
    client: Client, name: str
) -> None:
    response = await client.get(f"/{name}")
    style = (await response.text()).split("<style>")[1].split("</style>")[0]
    scripted = CONTEXTS[name][0] in {"signin.html", "account.html"}
    script = f"script-src '{digest(SCRIPT.read_text())}'; " if scripted else ""
    assert response.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src '{digest(style)}'; {script}"
        "img-src data:; base-uri 'none'; frame-ancestors 'none'"
    )


def digest(content: str) -> str:
    """Name some content as a policy does."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


async def test_pages_are_not_framed_cached_sniffed_or_named_to_others(client: Client) -> None:
    headers = (await client.get("/consent")).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("name", ["consent", "step-up", "hostile"])
async def test_consent_is_one_form_with_the_fields_that_scripts_rely_on(client: Client, name: str) -> None:
    page = await read(client, name)
    scopes = [scope["name"] for scope in CONTEXTS[name][1]["scopes"]]
    [form] = page.all("form")
    assert (form["method"], form["action"]) == ("post", "/oauth/authorize/approve")
    hidden, *boxes = page.all("input")
    assert hidden == {"type": "hidden", "name": "request", "value": "a-handle"}
    assert boxes == [{"type": "checkbox", "name": "scope", "value": scope, "checked": None} for scope in scopes]
    assert {(b["name"], b["value"]) for b in page.all("button")} == {("decision", "approve"), ("decision", "deny")}
    assert len(page.all("button")) == 2


async def test_consent_shows_a_hostile_client_without_its_tricks(client: Client) -> None:
    page = await read(client, "hostile")
    assert "\u202e" not in page.text
    assert "“" not in page.text  # the quotation marks are the style's, so a name cannot close them early
    assert "W" * 100 not in page.text
    assert CONTEXTS["hostile"][1]["redirect_host"] in page.text
    assert page.text.count("\u0301") == 8  # four, in each of the two places where the user is named
    assert not page.all("b")


@pytest.mark.parametrize("value", [None, "", " \u3164\u00a0\u200d", "\t"])
def test_a_client_without_a_visible_name_is_said_to_have_none(make_site: MakeSite, value: str | None) -> None:
    assert "An application without a name asks for access" in show(make_site, "consent", client_name=value).text


def test_consent_marks_only_the_unverified_and_warns_only_of_loopback(make_site: MakeSite) -> None:
    seen = {
        (verified, loopback): show(make_site, "consent", verified=verified, loopback_only=loopback).text
        for verified in (True, False)
        for loopback in (True, False)
    }
    for (verified, loopback), text in seen.items():
        assert ("Unverified application" in text) is not verified
        assert ("Any program on this computer" in text) is loopback


async def test_a_step_up_asks_for_what_is_new_and_lists_what_is_kept(client: Client) -> None:
    page = await read(client, "step-up")
    words = " ".join(page.text.split())
    assert (
        "New: it also asks to Make payments with your saved payment methods payment Also: Look up stores and plans"
        in words
    )
    before = (
        "You allowed this before Look up stores and plans read See your accounts, balances and saved payment methods"
    )
    assert before in words
    assert "what you allowed before is kept" in words
    assert "it gets nothing new" in words


async def test_without_anything_kept_nothing_is_said_of_before(client: Client) -> None:
    text = (await read(client, "consent")).text
    assert "before" not in text
    assert "New" not in text
    assert "Also" not in text


def test_consent_says_that_nobody_signs_in_only_where_that_is_so(make_site: MakeSite) -> None:
    assert "nobody signs in here" not in show(make_site, "consent").text
    demo = show(make_site, "consent", user={"name": "demo", "email": None, "demo": True, "switch": None})
    assert "nobody signs in here" in demo.text


async def test_index_offers_the_connector_url_and_the_metadata(client: Client) -> None:
    page = await read(client, "index")
    [field] = page.all("textarea")
    assert CONTEXTS["index"][1]["connector_url"] in page.text
    assert "readonly" in field
    assert [label["for"] for label in page.all("label")] == [field["id"]]
    assert {link["href"] for link in page.all("a")} == {
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/health",
    }
    assert "Nobody signs in here" in page.text
    assert "On this computer only" in page.text


@pytest.mark.parametrize("assistant", ["ChatGPT", "Claude", "Cursor", "VS Code"])
async def test_index_says_how_to_add_it_to_each_assistant(client: Client, assistant: str) -> None:
    text = (await read(client, "index")).text
    steps = text.partition("Add it")[2].partition("Tools")[0].partition(f"\n{assistant}\n")[2]
    assert CONTEXTS["index"][1]["connector_url"] in steps or "paste the connector URL" in " ".join(steps.split())


async def test_index_without_oauth_links_no_metadata_and_says_that_it_is_open(client: Client) -> None:
    page = await read(client, "open")
    assert {link["href"] for link in page.all("a")} == {"/health"}
    assert "Open to everyone" in page.text
    assert "On this computer only" not in page.text
    assert "OAuth" not in page.text


async def test_error_page_names_the_request_only_if_it_has_a_number(client: Client) -> None:
    assert "8f3a" in (await read(client, "error")).text
    assert "If you ask for help" not in (await read(client, "hostile-error")).text


@pytest.mark.parametrize("name", ["index", "consent", "error"])
def test_a_page_refuses_an_incomplete_context(make_site: MakeSite, name: str) -> None:
    template, context = CONTEXTS[name]
    env = aiohttp_jinja2.get_env(make_site())
    for missing in context.keys() - {"request_id", "name"}:
        with pytest.raises(jinja2.UndefinedError):
            env.get_template(template).render({key: value for key, value in context.items() if key != missing})


@pytest.mark.parametrize("name", ["signin", "hostile-signin"])
async def test_signing_in_is_a_form_with_the_fields_that_scripts_and_password_managers_rely_on(
    client: Client, name: str
) -> None:
    page = await read(client, name)
    first = page.all("form")[0]
    assert (first["method"], first["action"]) == ("post", "/signin")
    shown = {field["name"]: field for field in page.all("input") if field.get("type") != "hidden"}
    assert set(shown) == {"username", "password"}
    assert (shown["username"]["autocomplete"], shown["password"]["autocomplete"]) == ("username", "current-password")
    assert {label["for"] for label in page.all("label")} == {"username", "password"}


async def test_who_is_signed_in_may_be_somebody_else(client: Client) -> None:
    assert {"href": "/signin?request=a-handle"} in (await read(client, "step-up")).all("a")
    assert (await read(client, "consent")).all("a") == []


async def test_every_application_can_be_taken_back_by_a_button_that_names_it(client: Client) -> None:
    page = await read(client, "my-account")
    values = [field["value"] for field in page.all("input") if field.get("name") == "client_id"]
    assert values == ["att_cl_1", "att_cl_2"]
    labels = [button["aria-label"] for button in page.all("button") if "aria-label" in button]
    assert labels[:2] == [f"Take back what {name} may do" for name in ("Example Assistant", "Another")]
    assert labels[2:] == [f"Remove the passkey {name}" for name in ("My phone", "A key")]
    assert "It has no access at present" in page.text
    hostile = await read(client, "hostile-account")
    assert "An application without a name" in hostile.text
    assert "\u202e" not in hostile.text
    assert "Take back everything" in hostile.text
    assert "u" * 60 not in hostile.text
    assert "Take back" not in (await read(client, "bare-account")).text


async def test_every_form_of_a_person_carries_the_field_that_others_cannot_make(client: Client) -> None:
    for name in ("signin", "my-account", "invitation"):
        page = await read(client, name)
        fields = [field["value"] for field in page.all("input") if field.get("name") == "csrf"]
        assert fields == ["a-csrf"] * len(page.all("form")), name


@pytest.mark.parametrize("name", CONTEXTS)
async def test_every_page_says_whose_it_is(client: Client, name: str) -> None:
    page = await read(client, name)
    site = CONTEXTS[name][1].get("name", "ATT MCP Server")
    assert page.text.split("</style>")[-1].strip().partition("\n")[0].endswith(f"\N{EN DASH} {site}")
    assert f"\n{site}\n" in page.text
