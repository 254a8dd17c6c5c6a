"""Shipped helpers for tests: plain-Python reference kernels and stand-ins. Nothing in axcore imports this package."""
