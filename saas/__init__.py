"""云署: the Django project and what a bureau's people use."""
