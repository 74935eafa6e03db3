"""`potmodels.lock`: which models, at which revision, with which bytes."""
