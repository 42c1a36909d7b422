"""Tests of saas.search."""
