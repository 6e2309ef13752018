import pytest

from server.toolkit.money import money


@pytest.mark.parametrize(
    ("cents", "formatted"),
    [
        (0, "$0.00"),
        (5, "$0.05"),
        (7500, "$75.00"),
        (123_456_789, "$1,234,567.89"),
        (-5, "-$0.05"),
        (-12_345, "-$123.45"),
    ],
)
def test_money_is_exact_cents_and_dollars_for_people(cents: int, formatted: str) -> None:
    assert money(cents) == {"cents": cents, "formatted": formatted}
