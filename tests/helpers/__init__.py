"""Helpers that tests of more than one folder use. A helper of one folder stays in that folder; no test module imports another."""
