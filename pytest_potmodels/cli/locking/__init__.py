"""`potmodels lock`: what is wanted, at which pins, written down."""
