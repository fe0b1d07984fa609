"""What is new and what belongs together in what customers say, found by the clock and judged by staff."""
