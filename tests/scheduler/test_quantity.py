from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idcbench.scheduler.quantity import MOST, milli_value, value

SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
SMALL = {"m": Fraction(1, 10**3), "u": Fraction(1, 10**6), "n": Fraction(1, 10**9)}


@pytest.mark.parametrize(
    ("text", "whole", "milli"),
    [
        ("0", 0, 0),
        ("500m", 1, 500),
        ("1.5Gi", 1610612736, 1610612736000),
        ("1e3", 1000, 1000000),
        ("1E3", 1000, 1000000),
        ("1E", 10**18, MOST),
        (".5", 1, 500),
        ("5.", 5, 5000),
        ("+1", 1, 1000),
        ("-1500m", -2, -1500),
        ("1n", 1, 1),
        ("0.1n", 1, 1),
        ("100Ei", MOST, MOST),
        ("1e999999999", MOST, MOST),
        ("1e-999999999", 1, 1),
        ("0e999999999", 0, 0),
    ],
)
def test_known_values(text: str, whole: int, milli: int) -> None:
    assert (value(text), milli_value(text)) == (whole, milli)


@pytest.mark.parametrize(
    "text", ["", "1e3k", "k", "1 Gi", "1KB", "--1", "0x10", "1.2.3", "١", "1\n", ".", "1ki", "nan"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        value(text)


@given(st.integers(0, 10**6), st.integers(0, 999), st.sampled_from(sorted(SUFFIXES | SMALL)))
def test_agrees_with_exact_fractions(whole: int, thousandths: int, suffix: str) -> None:
    exact = (whole + Fraction(thousandths, 1000)) * (SUFFIXES | SMALL)[suffix]
    exact = Fraction(-((-exact * 10**9) // 1), 10**9)  # what is finer than a nano is rounded up
    text = f"{whole}.{thousandths:03}{suffix}"
    assert value(text) == -(-exact // 1)
    assert milli_value(text) == min(-((-exact * 1000) // 1), MOST)
