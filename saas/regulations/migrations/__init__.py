"""Schema history of regulations."""
