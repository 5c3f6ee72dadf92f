"""Why a pod waits, or why it went where it went: the record, how it is asked for, and its text."""
