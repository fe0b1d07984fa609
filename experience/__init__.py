"""Hear, judge, mend and account: the two-level loop around what customers say."""
