"""Amounts as text."""


def euros(cents: int) -> str:
    """Write an amount out.

    >>> euros(123456)
    'EUR 1,234.56'
    """
    return f"EUR {cents // 100:,}.{cents % 100:02d}"
