"""Files of YAML that users write, read with their lines, so that an error names the line."""
