"""Real machine-learning models for tests: `import pytest_potmodels as pot`."""

__version__ = "0.1.0"
