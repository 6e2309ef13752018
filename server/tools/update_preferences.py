"""att-update-preferences: paperless bills, autopay, language, and how to be reached."""

from typing import Annotated, Literal, cast

from mcp.server.auth.provider import AccessToken
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from typing_extensions import TypedDict

from server.oauth.audit import Event, Kind
from server.services import Services
from server.toolkit.account import Account
from server.toolkit.accounts import accounts_of, one_of, signed_in
from server.toolkit.noting import noted
from server.toolkit.preferences import Preferences, PreferenceStore
from server.toolkit.screening import refuse_payment_numbers
from server.toolkit.tool import Answer, Arguments, Call, Hints, Tool, listing
from server.toolkit.widgets import ACCOUNT

NOTICE = "Demonstration data: this account is invented."

Language = Literal["en", "es"]
ContactMethod = Literal["email", "text", "phone", "mail"]


class UpdatePreferencesArguments(Arguments):
    """What the tool is called with; whatever is left out stays as it is."""

    account_id: str | None = Field(
        None,
        pattern=r"^[0-9A-Za-z_.-]{1,64}$",
        description="the id of an account as att-account-summary gives it; may be left out when there is only one",
    )
    paperless: bool | None = Field(None, strict=True, description="true for bills by e-mail only, false for paper")
    autopay: bool | None = Field(
        None, strict=True, description="true to pay by the default payment method when due, false not to"
    )
    language: Language | None = Field(None, description='"en" for English or "es" for Spanish')
    contact_method: ContactMethod | None = Field(None, description='"email", "text", "phone" or "mail"')
    contact_email: str | None = Field(
        None,
        pattern=r"^[^@\s<>\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
        max_length=254,
        description="an e-mail address",
    )
    contact_phone: str | None = Field(
        None,
        pattern=r"^(\+?1[ .-]?)?\(?[0-9]{3}\)?[ .-]?[0-9]{3}[ .-]?[0-9]{4}$",
        description="a ten-digit phone number in the United States",
    )


class PreferencesEntry(TypedDict):
    """An account's preferences."""

    paperless: Annotated[bool, Field(description="Whether bills come by e-mail only.")]
    autopay: Annotated[bool, Field(description="Whether it is paid from the default payment method when due.")]
    language: Language
    contactMethod: ContactMethod
    contactEmail: str | None
    contactPhone: Annotated[str | None, Field(description="Ten digits, or null.")]


class UpdatePreferencesOutput(TypedDict):
    """The preferences of one account, before and after."""

    accountId: str
    before: PreferencesEntry
    after: PreferencesEntry
    changed: Annotated[list[str], Field(description="The names of the preferences that are now different.")]
    notice: Annotated[str, Field(description="What kind of data this is.")]


def tool(services: Services) -> Tool[UpdatePreferencesArguments]:
    """Make the tool; preferences live in the database."""
    store: PreferenceStore = services.store

    async def update_preferences(call: Call[UpdatePreferencesArguments]) -> Answer:
        given, now = call.arguments, services.clock()
        accounts = await accounts_of(signed_in(call.caller, "write"), store, now)
        account = one_of(accounts, given.account_id)
        changes = _changes(given, account)
        event = _event(services, call.caller, account, changes, now)
        return _answer(account, *await store.change_preferences(account.account_id, changes, now, event))

    return Tool(
        name="att-update-preferences",
        title="Change account preferences",
        description=(
            "Change preferences of one of the signed-in user's accounts: paperless bills, autopay, language, and how "
            "to be reached. What is left out stays as it is. The answer has them before and after, so that a change "
            "can be put back. Invented demonstration data."
        ),
        scopes=("write",),
        arguments=UpdatePreferencesArguments,
        output=UpdatePreferencesOutput,
        answer=update_preferences,
        hints=Hints(read_only=False),
        meta=ACCOUNT.tool_meta,
        screen=refuse_payment_numbers,
    )


def _changes(given: UpdatePreferencesArguments, account: Account) -> dict[str, bool | str]:
    """Give what is asked for, a phone number as its ten digits.

    Raises:
        ToolError: Nothing is, or autopay for an account that could not be paid from.
    """
    changes = given.model_dump(exclude_none=True, exclude={"account_id"})
    if not changes:
        raise ToolError(
            "Nothing to change was named: give paperless, autopay, language, contactMethod, contactEmail or "
            "contactPhone."
        )
    if given.autopay and not account.payment_methods:
        raise ToolError("Autopay needs a payment method, and none is saved on this account. Nothing was changed.")
    if given.contact_phone is not None:
        changes["contact_phone"] = "".join(filter(str.isdecimal, given.contact_phone))[-10:]
    return changes


def _event(
    services: Services, caller: AccessToken | None, account: Account, changes: dict[str, bool | str], now: int
) -> Event | None:
    """Say whose preferences change, and which; not how one is reached."""
    user_id, client_id = (caller.subject, caller.client_id) if caller else (None, None)
    detail = f"{' '.join(sorted(changes))} of {account.account_id}"
    return noted(services, Kind.PREFERENCES_CHANGED, now, client_id=client_id, user_id=user_id, detail=detail)


def _answer(account: Account, before: Preferences, after: Preferences) -> Answer:
    was, now = _entry(before), _entry(after)
    former = dict(was.items())
    differ = {
        name: f"{_word(former[name])}, now {_word(value)}" for name, value in now.items() if value != former[name]
    }
    data = UpdatePreferencesOutput(
        accountId=account.account_id, before=was, after=now, changed=list(differ), notice=NOTICE
    )
    head = f"{account.name}: {len(differ) or 'nothing'} changed{'' if differ else ', since it is so already'}. {NOTICE}"
    return listing(head, (f"{name}: {change}" for name, change in differ.items()), data)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else str(value)


def _entry(preferences: Preferences) -> PreferencesEntry:
    return PreferencesEntry(
        paperless=preferences.paperless,
        autopay=preferences.autopay,
        language=cast("Language", preferences.language),
        contactMethod=cast("ContactMethod", preferences.contact_method),
        contactEmail=preferences.contact_email,
        contactPhone=preferences.contact_phone,
    )
