"""Work orders: the two-level loop with its clocks, reviews and effect."""
