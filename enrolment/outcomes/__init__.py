"""Situations of people after the programme: recorded by an operator, or told by the person."""
