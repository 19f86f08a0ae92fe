"""Checks arguments that could not be sent, or whose faults the emulator's own errors would explain less clearly."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches


def whole(name: str, value: object, least: int, most: int | None = None) -> int:
    """Returns a whole number that is in its range."""
    # For Python, True and False are ints, too.
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        raised = TypeError if isinstance(value, bool) or not isinstance(value, int) else ValueError
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise raised(f"{name} is a whole number {limits}, not {value!r}")
    return value


def seconds(value: object) -> float:
    """Returns a timeout in seconds, whose upper limit the emulator checks."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"timeout is a number of seconds, not {value!r}")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"timeout is a number of seconds from 0 on, not {value!r}")
    return value


def known(call: str, names: Iterable[str], possible: Iterable[str]) -> None:
    """Refuses arguments that the call doesn't have, and suggests the name that is nearest."""
    possible = sorted(possible)
    for name in names:
        if name not in possible:
            nearest = get_close_matches(name, possible, n=1)
            told = f"did you mean {nearest[0]}?" if nearest else f"it takes {', '.join(possible)}"
            raise TypeError(f"{call} has no argument {name}; {told}")
