"""Read what words and numbers mean: pure functions, no table, no HTTP, no clock."""
