"""Checks of hosts before anything is touched: each a small function from facts to findings."""
