"""The numba scheduler: what it reads (objects), how it decides (core), and the service around it."""
