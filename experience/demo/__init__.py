"""A fictitious operator that a person of the trade would believe, made through the house's own operations."""
