#!/usr/bin/env python
"""Entry to Django's commands, in the zone where each command is at home."""

import os
import sys

# A process belongs to one zone. Where nobody named it, a command runs in the zone whose data it works on.
HOME_ZONE = {"tenant": "management"}


def main() -> None:
    """Run one management command."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    os.environ.setdefault("ZONE", HOME_ZONE.get(command, "intranet"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
