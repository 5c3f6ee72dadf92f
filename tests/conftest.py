"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("idcbench", deadline=None)  # how long an example takes says nothing of the code
settings.load_profile("idcbench")
