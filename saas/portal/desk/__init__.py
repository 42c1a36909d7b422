"""A person's own desk in the intranet: the workbench, starred documents, saved filters of lists."""
