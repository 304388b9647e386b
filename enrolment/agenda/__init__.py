"""The agenda of welcome interviews: who comes when, and where."""
