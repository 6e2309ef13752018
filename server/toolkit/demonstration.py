"""Invented accounts: the same for the same user and day, and plainly invented."""

import hashlib
from datetime import date, timedelta

from server.toolkit.account import Account, AccountKind, Line, PaymentMethod

_PLANS: dict[AccountKind, tuple[str, ...]] = {
    "wireless": ("demo-wireless-value", "demo-wireless-starter", "demo-wireless-extra", "demo-wireless-premium"),
    "internet": ("demo-internet-air", "demo-internet-300", "demo-internet-500", "demo-internet-1000"),
    "prepaid": ("demo-prepaid-5gb", "demo-prepaid-16gb"),
}
_DEVICES: dict[AccountKind, tuple[str | None, ...]] = {
    "wireless": ("aurelo-nova-8", "kestrel-a36", "novagrid-one-lite"),
    "internet": (None,),
    "prepaid": ("kestrel-a16",),
}
_BRANDS = ("Visa", "Mastercard", "American Express", "Discover")
_AREA_CODES = ("206", "212", "303", "404", "512", "617", "702", "773")
_ZIP_CODES = ("98101", "10003", "80202", "30303", "78701", "02108", "89101", "60614")


def demonstration_accounts(user_id: str, today: date) -> tuple[Account, ...]:
    """Invent a user's accounts: one to three of them, the same for the same user and day."""
    digest = hashlib.sha256(user_id.encode()).digest()
    kinds: tuple[AccountKind, ...] = ("wireless", "internet", "prepaid")
    place = digest[1] % len(_ZIP_CODES)
    return tuple(_account(user_id, kind, today, place) for kind in kinds[: 1 + digest[0] % len(kinds)])


def _account(user_id: str, kind: AccountKind, today: date, place: int) -> Account:
    digest = hashlib.sha256(f"{kind}\n{user_id}".encode()).digest()
    account_id = f"demo-{kind}-{digest.hex()[:20]}"
    balance = 0 if digest[0] % 8 == 0 else 1_500 + int.from_bytes(digest[1:3]) % 24_000
    return Account(
        account_id=account_id,
        user_id=user_id,
        name=f"Demonstration {kind} account",
        kind=kind,
        balance_cents=balance,
        due_on=(today + timedelta(days=5 + digest[4] % 21)).isoformat() if balance else None,
        autopay=digest[5] % 2 == 0,
        payment_methods=_methods(account_id, digest),
        account_number=_number(digest),
        phone=f"{_AREA_CODES[place]}555{int.from_bytes(digest[16:18]) % 10_000:04}",
        zip_code=_ZIP_CODES[place],
        lines=_lines(account_id, kind, digest, today),
    )


def _methods(account_id: str, digest: bytes) -> tuple[PaymentMethod, ...]:
    """Invent one or two payment methods; guests may use the first."""
    return tuple(
        PaymentMethod(
            payment_method_id=f"{account_id}-card-{number}",
            brand=_BRANDS[digest[4 + number] % len(_BRANDS)],
            last_four=f"{int.from_bytes(digest[8 + 2 * number : 10 + 2 * number]) % 10_000:04}",
            is_default=number == 1,
            open_to_guests=number == 1,
        )
        for number in range(1, 2 + digest[3] % 2)
    )


def _number(digest: bytes) -> str:
    """Write an account number, which no card or bank number looks like."""
    digits = f"{int.from_bytes(digest[18:22]) % 100_000_000:08}"
    return f"DEMO-{digits[:4]}-{digits[4:]}"


def _lines(account_id: str, kind: AccountKind, digest: bytes, today: date) -> tuple[Line, ...]:
    """Invent what the account has: up to three wireless lines, or one of another kind."""
    count = 1 + digest[22] % 3 if kind == "wireless" else 1
    plans, devices = _PLANS[kind], _DEVICES[kind]
    return tuple(
        Line(
            line_id=f"{account_id}-line-{number + 1}",
            plan_id=plans[digest[23] % len(plans)],
            device=devices[digest[24 + number] % len(devices)],
            device_since=(today - timedelta(days=30 + digest[27 + number] * 5)).isoformat(),
        )
        for number in range(count)
    )
