"""People as an operator finds and follows them: search by name, the sheet of one person, and the decisions about them."""
