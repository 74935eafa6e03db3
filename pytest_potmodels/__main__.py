"""`python -m pytest_potmodels`: the command line, where no script is on the PATH."""

from pytest_potmodels.cli import main

if __name__ == "__main__":
    main()
