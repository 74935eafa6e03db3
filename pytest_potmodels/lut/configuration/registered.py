"""Names of parts in a configuration: known ones, or an error that lists them."""

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut.configuration.rules import Where
from pytest_potmodels.lut.registry import BUILT_IN, REGISTRY


def check_name(kind: str, key: str, name: object, where: Where) -> None:
    """Accept the name of a registered part; imports none.

    Raises:
        LUTError: no text.
        LUTNameError: not registered; with close matches and all names.
    """
    if not isinstance(name, str):
        raise LUTError(f"{where(key)}{key} must be a name, got {name!r}.")
    known = REGISTRY.names(kind)
    if name not in known:
        raise LUTNameError(
            key,
            name,
            known,
            where=where(key).removesuffix(": "),
            remedy=f"registered: {', '.join(known)}; or REGISTRY.register_{kind}({name!r})",
        )


def is_ours(kind: str, name: str) -> bool:
    """Whether a part of that name comes with this package, replaced or not."""
    return name in BUILT_IN[kind]
