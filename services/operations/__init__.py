"""Commands of an operator: backup, restore, provisioning, console, rebuild, replay, republish.

`embedded`, `scenarios` and `cli` may import it; a room's `app.py` imports `replay`.
Invariant: each operation can be interrupted and run again.
"""
