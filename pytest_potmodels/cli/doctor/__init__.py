"""`potmodels doctor`: one file for each part of the machine that is looked at."""
