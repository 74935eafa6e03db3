"""The `potmodels` command."""
