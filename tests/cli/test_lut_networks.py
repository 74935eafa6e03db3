"""Commands on `lut:` models: used where they lie, like those of a package or a folder."""

import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from cli.harness import Cli, spoil
from lut_folders import write_network

from pytest_potmodels.lut import load_hardened

FILES = ["tiny.hard.safetensors", "tiny.safetensors", "tiny.yaml"]


@pytest.fixture
def home(cli: Cli) -> Path:
    """Where the files of `lut:tiny` lie."""
    folder = cli.folder / "networks"
    cli.environ["POT_LUT_PATH"] = str(folder)
    write_network(folder, "untrained", with_weights=False, with_bits=False)
    return write_network(folder)


def test_the_catalog_names_those_that_are_here(cli: Cli, home: Path) -> None:
    said = cli.run("catalog").stdout
    assert "LUT networks (" in said
    assert "tiny, untrained (not trained)" in said
    rows = {row["name"]: row for row in cli.json("catalog") if row["type"] == "lut"}
    assert (rows["tiny"]["id"], rows["tiny"]["kind"]) == ("lut:tiny", "lut")
    assert (rows["tiny"]["description"], rows["untrained"]["description"]) == ("", "not trained")
    assert "'tiny'" in cli.fails("download", "lut:tinny", code=2)


def test_a_network_is_used_where_it_lies(cli: Cli, home: Path) -> None:
    (model,) = cli.json("download", "tiny")
    assert (model["status"], model["id"]) == ("in place", "lut:tiny")
    (listed,) = cli.json("list")
    assert [file["path"] for file in listed["files"]] == FILES
    assert (listed["in_place"], listed["path"], listed["format"]) == (True, str(home), "lut")
    (shown,) = cli.json("show", "tiny")
    assert {file["came"] for file in shown["files"]} == {"used where it lies"}
    (checked,) = cli.json("verify", "tiny")
    assert checked["status"] == "ok"
    assert "is used where it lies" in cli.fails("push", "lut:tiny", "--remote", "r", code=2)
    steps = cli.json("why", "tiny")[0]["steps"]
    assert "'tiny' is a LUT network of this machine" in [step["said"] for step in steps]
    assert "its files stay" in cli.run("remove", "lut:tiny").stderr
    assert sorted(path.name for path in home.glob("tiny*")) == FILES
    assert len(cli.site.log) == 0


def test_a_network_that_nobody_has_trained_names_the_command_that_does(
    cli: Cli, home: Path
) -> None:
    assert "potmodels lut train untrained" in cli.fails("download", "untrained", code=3)


def test_an_export_is_the_network_bit_for_bit(cli: Cli, home: Path) -> None:
    (made,) = cli.json("export", "tiny", "--out", "onnx")
    assert (made["status"], made["rung"], made["tolerance"]) == ("exported", "written", 0.0)
    assert [each["name"] for each in made["outputs"]] == ["logits", "counts"]
    samples = np.random.RandomState(0).randint(0, 17, (50, 64)).astype(np.float32)
    answered = onnxruntime.InferenceSession(made["file"]).run(None, {"x": samples})
    bits = load_hardened(home / "tiny.hard.safetensors")
    assert np.array_equal(answered[0], bits.logits(samples))
    assert np.array_equal(answered[1], bits(samples))
    assert cli.json("export", "tiny")[0]["status"] == "there"
    assert "it takes no part" in cli.fails("export", "tiny", "--part", "layers.0", code=2)


def test_a_lock_holds_the_bytes(cli: Cli, home: Path) -> None:
    cli.run("lock", "tiny")
    (entry,) = tomllib.loads((cli.folder / "potmodels.lock").read_text())["model"]
    assert (entry["source"], entry["id"], len(entry["files"])) == ("lut", "tiny", 3)
    cli.run("lock", "--check", "tiny")
    assert cli.json("download", "tiny", "--locked")[0]["status"] == "in place"
    write_network(home.parent, "other")
    assert "not in" in cli.fails("download", "lut:other", "--locked", code=3)
    spoil(home / "tiny.safetensors")
    (found,) = cli.json("lock", "--check", "tiny", code=1)
    assert found["status"] == "changed"
    said = cli.fails("download", "tiny", code=4)
    assert "potmodels.lock" in said
    assert "restore the files" in said
