"""Proposals: groups that could be formed and seats that could be given. Nothing is stored."""
