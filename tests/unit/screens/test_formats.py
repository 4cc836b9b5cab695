"""Exact texts as a person reads them."""

import pytest

from screens.formats import short_decimal


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        ("21.92353455449438", "21.924"),
        ("24.0", "24.0"),
        ("-0.0004", "0"),
        ("1e-7", "0"),
        ("12345.67891", "12345.679"),
        ("1200000.0001", "1200000"),
        ("", ""),
        ("NaN", "NaN"),
        ("left", "left"),
    ],
)
def test_an_exact_decimal_is_shown_with_three_decimals_at_most(exact: str, shown: str) -> None:
    assert short_decimal(exact) == shown
