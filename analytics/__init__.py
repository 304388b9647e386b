"""Analytics owns what it all amounts to: projections of what the others say, and the indicators computed from them.

Publishes: nothing yet. Consumes: everything that enrolment, grouping and sessions say, with attendance and scores (restricted).
It has no commands on people: whoever withdraws consent to take part or to research is not computed any more.
"""
