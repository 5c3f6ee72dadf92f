"""Machines that commands run on: a network namespace, later a container or an SSH machine."""
