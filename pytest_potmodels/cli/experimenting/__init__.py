"""`potmodels experiment`: a plan from the command line, its run, its results side by side."""
