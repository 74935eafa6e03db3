"""Why something is not exported, as the child tells it to the process that started it."""


class GateError(Exception):
    """A graph was exported, and it is not the model."""
