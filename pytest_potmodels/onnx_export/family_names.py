"""What a model is said to be, in place of what it says itself: a family or type of recipes."""

from collections.abc import Iterable, Sequence

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.onnx_export.recipe_table import RECIPES
from pytest_potmodels.onnx_export.recipes import Recipe

_REMEDY = "leave it out, and the model's own configuration and class decide"


def names(own: Iterable[Recipe] = ()) -> tuple[str, ...]:
    """All names that a model may be said to be of: families, and types of configurations."""
    return tuple(sorted({n for each in (*own, *RECIPES) for n in (each.family, *each.model_types)}))


def named(name: str, own: Iterable[Recipe] = ()) -> tuple[Recipe, ...]:
    """The recipes of a family or a type, in the order in which they are looked at."""
    return tuple(
        each
        for each in (*own, *RECIPES)
        if name in (each.family, *each.model_types) or each.family.startswith(f"{name}-")
    )


def check(name: str, own: Iterable[Recipe] = (), *, where: str = "") -> None:
    """Pass if there is such a family or type.

    Raises:
        UnknownNameError: there is none; with close matches.
    """
    known = names(own)
    if name not in known:
        raise UnknownNameError("model type", name, known, where=where, remedy=_REMEDY)


def chosen(name: str, own: Iterable[Recipe], class_name: str, taken: Sequence[str]) -> Recipe:
    """The recipe for a model that is said to be of a family or a type.

    Args:
        name: the family or type.
        own: recipes of the user's.
        class_name: of the model, with its module.
        taken: what its `forward` takes.

    Raises:
        UsageError: it cannot be fed as models of that name are.
    """
    found = [each for each in named(name, own) if name == each.family or each.is_for(class_name)]
    for each in found:
        if not each.lacks(taken):
            return each
    kind = class_name.rpartition(".")[2]
    why = "; ".join(f"{each.family} feeds {', '.join(each.lacks(taken))}" for each in found)
    told = f": {why}, which forward({', '.join(taken)}) does not take" if why else ""
    raise UsageError(f"a {kind} cannot be exported as {name!r}{told}.", remedy=_REMEDY)
