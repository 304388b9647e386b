"""Names of the members of a group, for whoever leads it on that day: identity stays in enrolment."""
