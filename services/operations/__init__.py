"""What operators of the system do: backup, restore, provisioning, console, rebuild, replay, republish.

`embedded`, `scenarios` and `cli` may import it.
Invariant: each can be interrupted and run again.
"""
