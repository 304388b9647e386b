"""Retention: whose data are not needed any more by the months of the programme, and their erasure."""
