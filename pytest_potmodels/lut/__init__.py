"""LUT networks: look-up tables that are trained as functions and run as bits.

    from pytest_potmodels.lut import build_model

    model = build_model("digits_small")                 # a real one, with its weights
    model = build_model("digits_small", overrides={"eval_mode": "deterministic"})

Importing this imports no framework; a hardened network runs on numpy alone.
"""

# What a name stands for is imported when it is first used; types are in `__init__.pyi`.

#: What `pip install pytest-potmodels[lut]` brings, and the names need.
_OF_THE_EXTRA = ("numpy", "torch")
#: "module:name " of each public name.
_PUBLIC = (
    "configuration.model_config:ModelConfig base_model:BaseLUTModel "
    "feedforward:SimpleFeedForward convnet:ConvNet "
    "factory:build_model factory:load_pretrained "
    "pretrained_files:list_pretrained_models pretrained_info:get_pretrained_model_info "
    "matching:copy_matching_weights registry:REGISTRY "
    "hardened:HardenedNetwork hardened:load_hardened hardened:harden "
    "hardened:Heldout hardened:load_heldout "
)


def __getattr__(name: str) -> object:
    if name == "__all__":
        return sorted(_PUBLIC.replace(":", " ").split()[1::2])
    before, found, _ = _PUBLIC.partition(f":{name} ")
    if not found:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pkgutil import resolve_name  # noqa: PLC0415

    try:
        return resolve_name(f"{__name__}.{before.rpartition(' ')[2]}:{name}")
    except ModuleNotFoundError as error:
        from pytest_potmodels import extras  # noqa: PLC0415

        if error.name not in _OF_THE_EXTRA:
            raise
        raise extras.missing(error.name, error, extra="lut") from error
