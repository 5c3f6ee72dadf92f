"""The room's tests share the random clusters of tests/scheduler/cases."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
