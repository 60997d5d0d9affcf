"""Benchmarks: what the kit takes, against the frozen baselines, in one run on the same machine."""
