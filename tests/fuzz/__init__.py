"""Inputs that nobody would send by mistake: a few in every run of the tests, many with `make fuzz`."""
