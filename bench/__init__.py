"""Benchmarks: `huisheng bench NAME`."""
