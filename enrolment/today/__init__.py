"""The people who need something of an operator today."""
