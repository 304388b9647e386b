"""Fault injection: real processes and real engines are killed and frozen while people are served, and an oracle checks the result.

`engines` and `fleet` are the targets, `killer` injects the faults, `driver` and `lives` are the people, `campaign` runs all of it at
once, and `oracle` checks what is left. Killer, schedule and oracle share no code with the services.
"""
