"""Simulated nodes: what they look like, their objects, and KWOK, which keeps them and their pods going."""
