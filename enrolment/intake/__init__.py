"""People who ask to take part by themselves: the public page, the link that confirms an address, and the form behind it."""
