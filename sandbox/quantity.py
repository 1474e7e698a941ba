"""Kubernetes quantities: `100m`, `64Mi`, `2134567n`. Exact: a value is a Fraction, never a float."""

from __future__ import annotations

import math
import re
from fractions import Fraction

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)")


def parse(text: str | int | float) -> Fraction:
    """Return the value of a quantity; raises ValueError on a text that is none."""
    found = _NUMBER.fullmatch(str(text))
    if found is None:
        raise ValueError(f"{text!r} is no quantity")
    number, exponent, suffix = found.groups()
    if exponent:
        return Fraction(f"{number}{exponent}")
    if suffix in _BINARY:
        return Fraction(number) * Fraction(2) ** _BINARY[suffix]
    return Fraction(number) * Fraction(10) ** _DECIMAL[suffix or ""]


def milli(text: str | int | float) -> int:
    """Return a quantity in thousandths, rounded up, as controllers calculate with it."""
    return math.ceil(parse(text) * 1000)


def decimal(value: int, exponent: int) -> str:
    """Write `value` times ten to the `exponent` (a multiple of three, -9 to 0) in its shortest form: `2m`, `1500n`."""
    while value and value % 1000 == 0 and exponent < max(_DECIMAL.values()):
        value, exponent = value // 1000, exponent + 3
    suffix = next(name for name, power in _DECIMAL.items() if power == exponent)
    return f"{value}{suffix}" if value else "0"


def binary(value: int) -> str:
    """Write a whole number with the largest suffix that leaves it whole: `64Mi`, `1000`."""
    fits = [name for name, power in _BINARY.items() if value and value % 2**power == 0]
    return f"{value >> _BINARY[fits[-1]]}{fits[-1]}" if fits else str(value)
