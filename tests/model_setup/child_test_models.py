"""Print, as JSON, the TEST preset's checksums and which libraries they brought."""

import json
import sys

from pytest_potmodels.model_setup import get_test_models

before = "torch" in sys.modules
found = {kind: model.checksum for kind, model in get_test_models().items()}
brought = [name for name in ("torch", "torchvision", "transformers") if name in sys.modules]
print(json.dumps({"before": before, "checksums": found, "brought": brought}))  # noqa: T201
