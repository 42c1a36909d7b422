"""``manage.py migrate`` of management: as in a cell."""

from tenants.management.commands.migrate import Command

__all__ = ["Command"]
