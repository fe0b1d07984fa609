"""Figures that other rooms' rows add up to."""
