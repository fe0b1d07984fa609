"""Who did what, when, to which row."""
