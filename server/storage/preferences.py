"""What customers would rather have, for the tools."""

from dataclasses import replace
from typing import Any

from server.oauth.audit import Event
from server.storage.audit import insert
from server.storage.driver import Driver, Script, Statement
from server.toolkit.preferences import Preferences

_GET_PREFERENCES = """
SELECT a.autopay, p.paperless, p.language, p.contact_method, p.contact_email, p.contact_phone
FROM accounts a LEFT JOIN account_preferences p ON p.account_id = a.account_id
WHERE a.account_id = :account_id"""

_KEEP_PREFERENCES = """
INSERT INTO account_preferences (
    account_id, paperless, language, contact_method, contact_email, contact_phone, updated_at
) VALUES (:account_id, :paperless, :language, :contact_method, :contact_email, :contact_phone, :now)
ON CONFLICT (account_id) DO UPDATE SET
    paperless = excluded.paperless, language = excluded.language, contact_method = excluded.contact_method,
    contact_email = excluded.contact_email, contact_phone = excluded.contact_phone, updated_at = excluded.updated_at"""

_SET_AUTOPAY = "UPDATE accounts SET autopay = :autopay WHERE account_id = :account_id"


class SqlPreferenceStore:
    """The part of `server.toolkit.preferences.PreferenceStore` that is about preferences, in SQL."""

    _driver: Driver

    async def change_preferences(
        self, account_id: str, changes: dict[str, bool | str], now: int, event: Event | None
    ) -> tuple[Preferences, Preferences]:
        """Change preferences by their names, and give them before and after."""
        return await self._driver.write(_change(account_id, changes, now, event))


def _change(
    account_id: str, changes: dict[str, Any], now: int, event: Event | None
) -> Script[tuple[Preferences, Preferences]]:
    before = _read((yield Statement(_GET_PREFERENCES, {"account_id": account_id}))[0])
    after = replace(before, **changes)
    if after == before:
        return before, after
    values = {name: getattr(after, name) for name in after.__slots__}
    values |= {"account_id": account_id, "now": now, "paperless": int(after.paperless)}
    yield Statement(_KEEP_PREFERENCES, values)
    yield Statement(_SET_AUTOPAY, {"account_id": account_id, "autopay": int(after.autopay)})
    if event is not None:
        yield insert(event)
    return before, after


def _read(row: tuple[Any, ...]) -> Preferences:
    autopay, paperless, *others = row
    return Preferences(bool(autopay)) if paperless is None else Preferences(bool(autopay), bool(paperless), *others)
