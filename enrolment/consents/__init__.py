"""Consents that a referrer records later, for a person whom their own partner referred."""
