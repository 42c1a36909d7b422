"""Pages of the organisation: the directory for everybody, the administration for the system administrator."""
