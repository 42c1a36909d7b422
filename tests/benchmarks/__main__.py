"""Runs the benchmarks: ``make bench`` for all, ``make bench ONLY=NAME`` for one."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import platform
import sys
import traceback


def _figures() -> dict[str, str]:
    """Figure name → module; found without importing Django, each module's FIGURES names its own."""
    import tests.benchmarks as package

    names: dict[str, str] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_") or info.name == "figure":
            continue
        module = importlib.import_module(f"tests.benchmarks.{info.name}")
        for name in getattr(module, "FIGURES", {}):
            names[name] = module.__name__
    return names


def main() -> int:
    """Run what was asked for; 0 when every figure was measured, 1 when one failed, 2 when the name is unknown."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("only", nargs="?", default="", help="name of one figure")
    wanted = parser.parse_args().only
    os.environ["YUNSHU_TEST_AS_SHIPPED"] = "yes"  # fsync and all: read when tests.stack is imported
    from tests import stack

    stack.start_for_benchmarks()
    figures = _figures()
    if wanted and wanted not in figures:
        print(f"no figure {wanted!r}; there are: {', '.join(sorted(figures))}", file=sys.stderr)
        return 2
    print(f"# {platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    failed = 0
    for name, module in figures.items():
        if wanted and name != wanted:
            continue
        try:
            result = importlib.import_module(module).FIGURES[name]()
        except Exception:
            traceback.print_exc()
            print(f"{name} FAILED", flush=True)
            failed = 1
            continue
        for figure in result if isinstance(result, list) else [result]:
            print(figure.line(), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
