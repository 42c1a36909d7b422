"""One figure: a value beside its floor (the least the machine allows) and its peer (what others take)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What a benchmark returns.

    Args:
        name: the figure's name in the issue.
        value: measured, in `unit`.
        unit: ``ms``, ``s``, ``MB/s``, ``steps/s`` …
        floor: the same measured of the bare thing in the same run; None where there is none.
        peer: the same measured of a comparable product in the same run; None where there is none.
        note: what a reader must know (scale, split by step).
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    peer: float | None = None
    note: str = ""

    def line(self) -> str:
        """``NAME VALUE UNIT floor=F ratio=R peer=P`` (ratio = value / floor)."""

        def text(number: float | None) -> str:
            return "-" if number is None else f"{number:.4g}"

        ratio = None if not self.floor else self.value / self.floor
        parts = [self.name, text(self.value), self.unit, f"floor={text(self.floor)}", f"ratio={text(ratio)}"]
        parts.append(f"peer={text(self.peer)}")
        return " ".join(parts) + (f"  # {self.note}" if self.note else "")


Benchmark = Callable[[], "Figure | list[Figure]"]
