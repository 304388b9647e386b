"""The room that the programme has, in bands: places now, and the usual wait."""
