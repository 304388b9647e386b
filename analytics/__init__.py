"""Analytics owns the projections of the other services' events, and the indicators computed from them.

Publishes: nothing yet. Consumes: the events of enrolment, grouping and sessions, with attendance and scores (restricted).
It has no commands on people. A person who withdraws consent to take part or to research is not computed any more.
"""
