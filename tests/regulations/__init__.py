"""Tests of saas.regulations."""
