"""The pytest plugin: options, hooks and fixtures. Nothing heavy is imported before a cluster is asked for."""
