"""The stack that runs when nothing is configured: PostgreSQL, OpenBao, files on disk, and our own processes."""
