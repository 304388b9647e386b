"""Pages about meetings: a facilitator's groups and roll-calls, an operator's lists, and fragments for pages of other rooms."""
