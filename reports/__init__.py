"""Reports: a model of one run, and the forms it is written in."""
