"""Load a stand-in: no files, the seed of the options."""

from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.loading.placement import number_type, place
from pytest_potmodels.mocks import build_mock


def load(stored: StoredModel, options: LoadOptions, *, device: str) -> LoadedModel:
    """Build the stand-in of the stored model's kind."""
    mock = build_mock(stored.kind, seed=options.seed)
    return LoadedModel(
        id=stored.id,
        model=place(mock.model, device=device, dtype=number_type(options)),
        source="mock",
        kind=stored.kind,
        tokenizer=mock.tokenizer,
        transforms=mock.transforms,
        categories=mock.categories,
        config=mock.config,
    )
