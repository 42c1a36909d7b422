"""Commands of regulations."""
