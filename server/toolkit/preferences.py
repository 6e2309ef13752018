"""What a customer would rather have."""

from dataclasses import dataclass
from typing import Protocol

from server.oauth.audit import Event
from server.toolkit.accounts import AccountStore


@dataclass(frozen=True, slots=True)
class Preferences:
    """An account's preferences; these are the ones of an account whose owner has said nothing, but for autopay."""

    autopay: bool
    paperless: bool = False
    language: str = "en"
    contact_method: str = "email"
    contact_email: str | None = None
    contact_phone: str | None = None


class PreferenceStore(AccountStore, Protocol):
    """Preferences, kept durably; every method raises `StoreUnavailable` as the store does."""

    async def change_preferences(
        self, account_id: str, changes: dict[str, bool | str], now: int, event: Event | None
    ) -> tuple[Preferences, Preferences]:
        """Change preferences by their names in `Preferences`, and give them before and after.

        Where nothing changes, nothing is written, and the event is not kept.
        """
