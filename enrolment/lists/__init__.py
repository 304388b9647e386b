"""Lists of people from a company in crisis or a union: a file is read, judged row by row, and taken whole, in part, or not at all."""
