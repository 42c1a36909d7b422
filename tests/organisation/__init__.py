"""Tests of saas.organisation."""
