"""Measurement of the formation engine: problems, runs, figures and reference solvers."""
