"""Texts of numbers and the decimals they are, or that they are none."""

from __future__ import annotations

import pytest

from lenet.reading.value import decimal


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", "7"),
        ("0123", "123"),
        ("-314", "-314"),
        ("3.14", "3.14"),
        ("-3,14", "-3.14"),
        ("2.50", "2.50"),
        ("1.234", "1.234"),  # a point stays what it is
        (".5", "0.5"),
        ("-,5", "-0.5"),
        ("0,125", "0.125"),
        (",125", "0.125"),
        ("1234,567", "1234.567"),
        ("1,234.5", "1234.5"),
        ("1.234,50", "1234.50"),
        ("1.234.567", "1234567"),
        ("-12,345,678.9", "-12345678.9"),
        ("0", "0"),
    ],
)
def test_decimals(text: str, value: str) -> None:
    assert str(decimal(text)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "?",
        "1?5",
        "1,234",  # one and a bit, or a thousand and more
        "25,441",
        "12-05-2024",
        "12.05.2024",
        "12/05/2024",
        "3/4",
        "12:30",
        "555-0123",
        "1.2,3",
        "1,23,456",
        "0.234.567",
        "1.234.56",
        "3 5",
        "5.",
        "--5",
    ],
)
def test_what_is_no_decimal_or_may_be_two(text: str) -> None:
    assert decimal(text) is None
