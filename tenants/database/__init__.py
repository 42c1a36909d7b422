"""The database engine of all zones: every statement runs as the active bureau's role, in its schema, or not at all."""
