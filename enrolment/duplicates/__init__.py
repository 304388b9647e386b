"""Records that may be of one person: the list for operators, their judgement, and the merge that is said a day later."""
