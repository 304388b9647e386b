"""Engines that can fail, services in processes, and callers who repeat their commands."""
