"""`potmodels ci`: keys, warm, prune; the face of `pytest_potmodels.ci`."""
