"""Prune, download, list, verify and use models for a while, as processes of their own would.

Usage: `python child_prune.py SECONDS SEED NAME...`; the settings come from the environment. Prints
how often each was done, as JSON; ends with an error at the first that goes wrong.
"""

import json
import random
import sys
import time
from collections import Counter

from click.testing import CliRunner

from pytest_potmodels.cli.dispatch import potmodels
from pytest_potmodels.pipeline import open_pipeline
from pytest_potmodels.settings.resolution import resolve_here
from pytest_potmodels.store.leases import let_go


def command(*words: str) -> str:
    """Run a command, which must end well."""
    result = CliRunner().invoke(potmodels, words)
    if result.exit_code != 0:
        raise SystemExit(f"{words}: exit code {result.exit_code}\n{result.output}")
    return result.stdout


def use(name: str) -> None:
    """Have a model, and find it whole for as long as this process uses it."""
    pipeline = open_pipeline(resolve_here({}))
    stored = pipeline.acquire(pipeline.catalog.request(name))
    for _ in range(5):
        time.sleep(0.01)
        for file in stored.files:
            if (stored.path / file.path).stat().st_size != file.size:
                raise SystemExit(f"{name} was changed under its user")
        if pipeline.store.find(pipeline.catalog.request(name).id) is None:
            raise SystemExit(f"{name} was removed under its user")


def main(seconds: float, seed: int, names: list[str]) -> None:
    """Do any of it at random until the time is over."""
    chance = random.Random(seed)  # noqa: S311 - which command comes next
    done: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = chance.choice(names)
        what = chance.choice(("prune", "download", "list", "verify", "use"))
        if what == "use":
            use(name)
        elif what == "prune":
            size = chance.choice(("0", "150kB", "300kB"))
            done["removed"] += command("prune", "--max-size", size, "--yes", "--json").count(
                '"action": "removed"'
            )
        elif what == "download":
            command("download", name, "--json")
        else:
            json.loads(command(what, "--json"))
        let_go()
        done[what] += 1
    sys.stdout.write(json.dumps(done))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
