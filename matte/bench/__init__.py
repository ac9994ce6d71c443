"""Benchmarks of matte on this machine: each runtime, whole processes, other programs beside it."""
