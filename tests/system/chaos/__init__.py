"""A programme under fire: real processes and real engines are killed and frozen while people are served, and an oracle judges.

`engines` and `fleet` are what can be hit, `killer` hits it, `driver` and `lives` are the people, `campaign` lets all of it happen at
once, and `oracle` judges what is left. Killer, schedule and oracle share no code with the services.
"""
