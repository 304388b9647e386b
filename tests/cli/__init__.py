"""Tests of the `ama` command as a whole: its output, and the files that it reads."""
