"""Shares that never flatter. Pure."""


def percent(part: int, whole: int) -> str:
    """A share in percent with two decimals, rounded down: 9,999 of 10,000 is 99.99, and only all of them 100.00.
    A dash when there is nothing to take a share of."""
    if whole == 0:
        return "–"
    hundredths = part * 10_000 // whole
    return f"{hundredths // 100}.{hundredths % 100:02}"
