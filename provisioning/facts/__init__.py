"""What a host is and has: one script, run once per host as root, and a record made of what it says."""
