"""Every number over time, in one table."""
