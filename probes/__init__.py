"""Sense what the customer does at a touchpoint, and decide when to ask."""
