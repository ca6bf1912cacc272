"""Numbers and words as the views write them: thin spaces, true minus, a unit with every number.

js/src/kernel/format.ts does the same on the page. `tests/number_formats.json` holds the cases of both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final, Literal, TypeAlias, get_args

THIN: Final = "\u202f"  # between thousands, and before units
MINUS: Final = "\u2212"
ELLIPSIS: Final = "…"

Format: TypeAlias = Literal["number", "count", "share", "loss", "percent", "signed"]
FORMATS: tuple[str, ...] = get_args(Format)


def count(value: float) -> str:
    """A whole number with thin spaces between thousands.

    >>> count(1240) == "1\\u202f240"
    True
    """
    return fixed(value, 0)


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; halves go away from zero, as in the browser.

    >>> fixed(0.125, 2), fixed(-0.001, 2), fixed(float("inf"), 2)
    ('0.13', '0.00', '∞')
    """
    value = int(value) if hasattr(value, "__index__") else float(value)  # NumPy's too
    return _special(value) or _signed_digits(value, _rounded(abs(value), decimals))


def number(value: float, digits: int = 3) -> str:
    """A measured value with `digits` significant digits; tiny and huge ones as 1.2e-5.

    >>> number(5.4712), number(0.0), number(-0.5).replace(MINUS, "-"), number(float("nan"))
    ('5.47', '0', '-0.500', 'NaN')
    """
    value = float(value)  # NumPy's narrow ones overflow in what follows
    special = _special(value)
    if special or value == 0:
        return special or "0"
    if not 1e-3 <= abs(value) <= 99_999:
        near = _significant(abs(value), 2)
        exponent = near.adjusted()
        return _signed_digits(value, f"{near.scaleb(-exponent):.1f}e{exponent}".replace("-", MINUS))
    rounded = f"{abs(value):.{digits - 1}e}"  # nines go up, also from a half
    decimals = digits - 1 - int(rounded.partition("e")[2])
    return _signed_digits(value, _rounded(abs(value), max(0, decimals)))


def share(value: float) -> str:
    """A probability, share or correlation: two decimals."""
    return fixed(value, 2)


def percent(value: float) -> str:
    """A share in per cent: one decimal under ten.

    >>> percent(0.0182) == "1.8\\u202f%"
    True
    """
    return _special(value) or fixed(100 * value, 1 if abs(100 * value) < 9.95 else 0) + THIN + "%"


def signed(value: float) -> str:
    """A measured value with its sign always shown: a change, or the end of a symmetric scale.

    >>> signed(0.53)
    '+0.530'
    """
    return f"+{number(value)}" if value > 0 else number(value)


def formatted(value: float, format: Format) -> str:
    """A number in one of the project's formats.

    >>> formatted(0.25, "share"), formatted(0.25, "loss")
    ('0.25', '0.2500')
    """
    return _FORMATTERS[format](value)


def shortened(text: str, most: int) -> str:
    """The text, or its beginning and end in `most` letters: what tells names apart often stands at their end.

    >>> shortened("block1.residual.conv2", 12)
    'block1…conv2'
    """
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return text[: most - 1 - tail] + ELLIPSIS + text[len(text) - tail :]


def duration(seconds: float) -> str:
    """
    >>> duration(0.027) == "27\u202fms", duration(7.88) == "7.9\u202fs"
    (True, True)
    """
    return f"{1000 * seconds:.0f}{THIN}ms" if seconds < 1 else f"{seconds:.1f}{THIN}s"


def size(shape: tuple[int, ...]) -> str:
    """Height and width, or whatever the axes are."""
    return f"{THIN}×{THIN}".join(str(axis) for axis in shape)


def plural(amount: int, noun: str) -> str:
    """
    >>> plural(1, "map"), plural(32, "map")
    ('1 map', '32 maps')
    """
    return f"{count(amount)} {noun}{'' if amount == 1 else 's'}"


_FORMATTERS: dict[str, Callable[[float], str]] = {
    "number": number,
    "count": count,
    "share": share,
    "loss": lambda value: fixed(value, 4),
    "percent": percent,
    "signed": signed,
}


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return ""


def _significant(value: float, digits: int) -> Decimal:
    return Context(prec=digits, rounding=ROUND_HALF_UP).plus(Decimal(value))


def _rounded(value: float, decimals: int) -> str:
    scaled = value * 10**decimals
    if scaled < 2**52 and scaled % 1 != 0.5:  # no half, for which Python chooses the even digit
        return f"{value:,.{decimals}f}".replace(",", THIN)
    exact = Decimal(float(value))
    # As wide as the number is: the usual 28 digits are too few for the largest floats.
    wide = Context(prec=max(28, exact.adjusted() + decimals + 2), rounding=ROUND_HALF_UP)
    return f"{exact.quantize(Decimal(1).scaleb(-decimals), context=wide):,f}".replace(",", THIN)


def _signed_digits(value: float, digits: str) -> str:
    """With a minus where it is due: a rounded nothing has none."""
    return MINUS + digits if value < 0 and any(digit in digits for digit in "123456789") else digits
