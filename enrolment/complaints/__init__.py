"""Complaints of workers and partners, their answers and deadlines."""
