"""What is known of a pretrained network without building it."""

from typing import Any

from pytest_potmodels.lut import pretrained_files
from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.configuration.plain import as_plain


def get_pretrained_model_info(name: str) -> dict[str, Any]:
    """The configuration of a network and what its YAML says beside it, in JSON's types.

    Beside the fields of ModelConfig: `name`, `folder`, `files` (name -> bytes), `has_weights`,
    `is_hardened`, and `metrics`, `train`, `data`, `weights`, `hardened` where they are said.

    Raises:
        LUTNameError: there is no such network.
        LUTError: its YAML cannot be meant; with file and line.
    """
    files = pretrained_files.find(name)
    document = ModelConfig.read_document(files.config)
    there = [path for path in (files.config, files.weights, files.hardened) if path]
    return {
        "name": files.name,
        "folder": str(files.folder),
        "files": {path.name: path.stat().st_size for path in there},
        "has_weights": files.weights is not None,
        "is_hardened": files.hardened is not None,
        **ModelConfig.from_document(document).as_plain(),
        **as_plain(document.extras),
    }
