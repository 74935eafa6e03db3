"""The `potmodels` command: a light door, so that help and completion answer at once."""


def main() -> None:
    """Run the command line on `sys.argv` and exit with its code."""
    from pytest_potmodels.cli.dispatch import potmodels  # noqa: PLC0415 - the lazy door

    potmodels()
