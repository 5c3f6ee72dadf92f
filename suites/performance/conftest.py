"""Fixtures of the performance suite."""

from __future__ import annotations
