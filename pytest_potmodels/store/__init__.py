"""The model store: the only code that knows paths."""
