"""Real machine-learning models for tests, by name.

    import pytest_potmodels as pot

    model = pot.load("resnet18")     # fetched, verified, loaded
    folder = pot.fetch("bert").path  # its files alone; needs no PyTorch

Outside of pytest the same settings apply: POT_ variables, `[tool.potmodels]`, the defaults.
"""

# Imported at every pytest start, where each constant and name is paid for: types are in
# `__init__.pyi`, and what a name stands for is imported when it is first used. By strings, because
# modules below import this one for its version, and imports only point down.

__version__ = "0.1.0"

#: "module:name " of each public name.
_PUBLIC = (
    "artifacts:LoadedModel artifacts:StoredModel errors:DigestMismatchError "
    "errors:MissingPackageError errors:ModelTooLargeError errors:PotModelsError errors:Reason "
    "errors:StoreError errors:UnavailableError errors:UnknownNameError errors:UsageError "
    "session.by_name:fetch session.by_name:load "
    "onnx_export.closeness:assert_onnx_close settings.values:Settings "
)


def __getattr__(name: str) -> object:
    if name == "__all__":
        return sorted((*_PUBLIC.replace(":", " ").split()[1::2], "__version__"))
    before, found, _ = _PUBLIC.partition(f":{name} ")
    if not found:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pkgutil import resolve_name  # noqa: PLC0415

    return resolve_name(f"{__name__}.{before.rpartition(' ')[2]}:{name}")
