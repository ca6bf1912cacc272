"""Numbers and words as captions show them: thin spaces, true minus, a unit with every number."""

from __future__ import annotations

import math

THIN = "\u202f"
MINUS = "\u2212"


def count(value: int) -> str:
    """A whole number with thin spaces between thousands.

    >>> count(1240) == "1\\u202f240"
    True
    """
    return f"{value:,}".replace(",", THIN).replace("-", MINUS)


def number(value: float, digits: int = 3) -> str:
    """A measured value with `digits` significant digits; tiny and huge ones as 1.2e-5.

    >>> number(5.4712), number(0.0), number(-0.5).replace(MINUS, "-"), number(float("nan"))
    ('5.47', '0', '-0.500', 'NaN')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) <= 99_999:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", MINUS)
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}".replace("-", MINUS)


def share(value: float) -> str:
    """A probability, share or correlation, two decimals."""
    # Adding 0 makes a rounded −0.00 plain.
    return "NaN" if math.isnan(value) else f"{round(value, 2) + 0.0:.2f}".replace("-", MINUS)


def percent(value: float) -> str:
    """A share in per cent: one decimal under ten.

    >>> percent(0.0182) == "1.8\\u202f%"
    True
    """
    return f"{100 * value:.{1 if value < 0.1 else 0}f}{THIN}%"


def duration(seconds: float) -> str:
    """
    >>> duration(0.027) == "27\u202fms", duration(7.88) == "7.9\u202fs"
    (True, True)
    """
    return f"{1000 * seconds:.0f}{THIN}ms" if seconds < 1 else f"{seconds:.1f}{THIN}s"


def size(shape: tuple[int, ...]) -> str:
    """Height and width, or whatever the axes are."""
    return f"{THIN}×{THIN}".join(str(axis) for axis in shape)


def step_text(step: int | None) -> str:
    """Where in training a picture was taken."""
    return "no training watched" if step is None else f"step {count(step)}"


def plural(amount: int, noun: str) -> str:
    """
    >>> plural(1, "map"), plural(32, "map")
    ('1 map', '32 maps')
    """
    return f"{count(amount)} {noun}{'' if amount == 1 else 's'}"
