"""The administrative divisions of the country, as far as a bureau's registration needs them (GB/T 2260)."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

_FILE = Path(__file__).resolve().parent / "data" / "administrative_divisions.csv"


@cache
def divisions() -> dict[str, str]:
    """Six-digit code → full name. Codes of cities (``330100``) and provinces (``330000``) follow from counties'."""
    names: dict[str, str] = {}
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            code = row["code"]
            names.setdefault(f"{code[:2]}0000", row["province"])
            names.setdefault(f"{code[:4]}00", row["province"] + row["city"])
            names[code] = row["province"] + row["city"] + row["county"]
    return names
