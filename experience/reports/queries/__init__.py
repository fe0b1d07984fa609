"""Reads that pages show: each joins several rooms' rows, takes the caller's scope, and filters by it in the query."""
