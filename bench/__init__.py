"""How fast it is, as ratios: each figure against bare code that does the same on the same engines in the same run.

Invariant: a floor is the least code that makes the same writes; nothing of ours runs in it, and nothing is taken out of ours.
`make bench` runs all of it; README.md says how to read what it prints.
"""
