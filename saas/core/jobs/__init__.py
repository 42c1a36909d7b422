"""Background jobs: they live in the database and commit together with the change that asks for them."""
