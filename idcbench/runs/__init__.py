"""The run directory: what one invocation produced, and the only hand-over to the reports."""
