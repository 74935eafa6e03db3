"""Names of LUT networks: `digits_small`, or with the type as `feedforward/digits_small`."""

from collections.abc import Callable, Iterable

from pytest_potmodels.errors import UnknownNameError

#: Gives the networks that are on this machine, as TYPE/NAME.
Names = Callable[[], Iterable[str]]

#: What `lut_model` is where no mark and no preset of the user's names another.
DEFAULT = "lut:digits_small"


def is_known(name: str, known: Iterable[str]) -> bool:
    """Whether a name with or without its type is that of a network."""
    return any(name in (each, each.rpartition("/")[2]) for each in known)


def short(known: Iterable[str]) -> tuple[str, ...]:
    """The names without types, each once."""
    return tuple(dict.fromkeys(each.rpartition("/")[2] for each in known))


def check(name: str, known: Iterable[str]) -> None:
    """Accept the name of a network.

    Raises:
        UnknownNameError: there is none of that name, with close matches.
    """
    names = tuple(known)
    if not is_known(name, names):
        wanted = names if "/" in name else short(names)
        raise UnknownNameError(
            "LUT network", name, wanted, remedy="`potmodels catalog` lists those that are here"
        )
