"""Benchmarks of the running server: ``make bench``; README.md says how to read them."""
