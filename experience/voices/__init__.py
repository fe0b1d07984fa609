"""Rants, complaints and open answers, and what was read in them."""
