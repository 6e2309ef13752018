"""What is kept of a customer's account."""

from dataclasses import dataclass
from typing import Literal

AccountKind = Literal["wireless", "internet", "prepaid"]


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A saved payment method: never more than its brand and last four digits."""

    payment_method_id: str
    brand: str
    last_four: str
    is_default: bool
    open_to_guests: bool = False
    """Whether the customer lets guests pay by it."""

    @property
    def label(self) -> str:
        """What its owner knows it by."""
        return f"{self.brand} ending {self.last_four}"


@dataclass(frozen=True, slots=True)
class Line:
    """A plan that an account has, and the device on it."""

    line_id: str
    plan_id: str
    device: str | None = None
    """The device's id in the catalogue, or its name."""
    device_since: str | None = None
    """Since when it is in use, ``YYYY-MM-DD``."""


@dataclass(frozen=True, slots=True)
class Account:
    """A customer account; money in integer US cents."""

    account_id: str
    user_id: str
    name: str
    kind: str
    """An `AccountKind`."""
    balance_cents: int
    due_on: str | None
    """The due date of the balance, ``YYYY-MM-DD``."""
    autopay: bool
    payment_methods: tuple[PaymentMethod, ...]
    account_number: str | None = None
    phone: str | None = None
    """Ten digits."""
    zip_code: str | None = None
    """Five digits."""
    lines: tuple[Line, ...] = ()
