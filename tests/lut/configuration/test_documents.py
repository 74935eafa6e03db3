from pathlib import Path

import pytest
from lut_networks import config

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.configuration.documents import text_of

SHA = "0" * 64


def text(**extras: object) -> str:
    return text_of(config(runtime={"temperature": 0.5}).as_plain(), extras)


def written(folder: Path, content: str) -> Path:
    path = folder / "net.yaml"
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("node_type: prob", "node_type: prb", r"net.yaml:4: unknown node_type 'prbabilistic'"),
        ("temperature", "temprature", r"net.yaml:9: unknown key 'temprature'. Did you mean"),
        ("0.5", "-1", r"net.yaml:9: temperature must be a finite number > 0, got -1"),
        ("num_classes: 3", "num_classes: 4", r"net.yaml:7: the last of layer_widths must be"),
        ("num_classes", "num_clases", r"net.yaml:8: unknown key 'num_clases'. Did you mean"),
        ("num_classes: 3\n", "", r"net.yaml has no num_classes"),
        ("num_classes", "num_classes: 3\nnum_classes", r"net.yaml:9: 'num_classes' is there twice"),
        ("{name: ", "{name: a, name: ", r"net.yaml:5: 'name' is there twice, first in line 5"),
        ("runtime: {", "runtime:\n\tseed: 1\n#", r"net.yaml:10: no valid YAML: found character"),
        ("node_type: ", "node_type: !!python/name:os.system ", r"net.yaml:4: no valid YAML"),
        ("[12, 6]", "&w [12, 6]\nconv_input_shape: *w", "net.yaml:7: what an anchor names"),
        ("format: 1", "format: 2", r"net.yaml:1: format 2 is of a later version(.|\n)*upgrade"),
        ("format: 1", "format: one", r"net.yaml:1: format must be 1, got 'one'"),
        ("format: 1", "train: fast", r"net.yaml:1: train must be a mapping"),
        ("format: 1", "weights: {file: net.pth}", r"net.yaml:1: weights is .* its sha256"),
        (
            "format: 1",
            f"weights: {{file: ../net.pth, sha256: '{SHA}'}}",
            r"weights is .*, expected a file and its sha256(.|\n)*file: net.safetensors",
        ),
        ("format: 1", "weights: {file: net.pth, sha256: abc}", "sha256 must be 64 hex digits"),
    ],
)
def test_a_mistake_has_its_file_and_line(old: str, new: str, said: str, tmp_path: Path) -> None:
    content = text()
    assert old in content
    path = written(tmp_path, content.replace(old, new, 1))
    with pytest.raises(LUTError, match=said):
        ModelConfig.from_yaml(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "holds NoneType"), ("- 1", "holds list"), ("a: [", "no valid YAML"), ("a: 1", "a'")],
)
def test_what_is_no_configuration_is_said(content: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(LUTError, match=said):
        ModelConfig.from_yaml(written(tmp_path, content))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LUTError, match="There is no configuration file"):
        ModelConfig.from_yaml(tmp_path / "net.yaml")
    with pytest.raises(LUTError, match="There is no configuration file"):
        ModelConfig.from_yaml(tmp_path)


def test_bytes_that_are_no_text_are_said(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LUTError, match=r"net\.yaml: no valid YAML"):
        ModelConfig.from_yaml(path)


def test_what_is_known_of_the_weights_stands_beside_the_configuration(tmp_path: Path) -> None:
    extras = {
        "weights": {"file": "net.safetensors", "sha256": SHA},
        "hardened": {"file": "net.hard.safetensors", "sha256": SHA},
        "metrics": {"hard": 96.5},
        "train": {"seed": 1, "lr": 0.02},
        "data": {"name": "digits", "license": "CC BY 4.0"},
    }
    path = tmp_path / "net.yaml"
    config().to_yaml(path, extras=extras)
    document = ModelConfig.read_document(path)
    assert document.extras == {"format": 1, **extras}
    assert document.named_file("weights") == (tmp_path / "net.safetensors", SHA)
    assert ModelConfig.from_yaml(path) == config(encoder_config=document.values["encoder_config"])


def test_an_unknown_key_is_an_error_of_both_kinds(tmp_path: Path) -> None:
    with pytest.raises(LUTNameError) as error:
        ModelConfig.from_yaml(written(tmp_path, "node_typ: dwn\n" + text()))
    assert error.value.matches[0] == "node_type"


def test_a_key_that_is_a_number_is_unknown_like_any_other(tmp_path: Path) -> None:
    with pytest.raises(LUTNameError, match=r"net.yaml:1: unknown key '7'"):
        ModelConfig.from_yaml(written(tmp_path, "7: dwn\n" + text()))
