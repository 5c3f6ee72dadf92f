"""Instruments: clocks, probes, statistics. Each instrument runs in a process of its own."""
