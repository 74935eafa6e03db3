"""Names on the command line: as stored, as the catalog has them, by folder, by commit."""

from pathlib import Path

import pytest
from cli.harness import FILES, NAME, Cli
from standin import Repo

from pytest_potmodels.cli.lookup import expanded, id_of_folder
from pytest_potmodels.identifiers import ModelId


def test_two_words_are_a_source_and_names() -> None:
    assert expanded(("torchvision", "resnet18")) == ["torchvision:resnet18"]
    assert expanded(("HF", "org/a", "org/b")) == ["hf:org/a", "hf:org/b"]
    assert expanded(("torchvision:resnet18", "bert")) == ["torchvision:resnet18", "bert"]
    assert expanded(("torchvision",)) == ["torchvision"]
    assert expanded(()) == []


@pytest.mark.parametrize(
    ("folder", "model_id"),
    [
        ("huggingface_org--tiny", ModelId("huggingface", "org/tiny")),
        ("torchvision_resnet18", ModelId("torchvision", "resnet18")),
        ("huggingface_org--tiny@12345678", None),
        ("experiments", None),
        ("file_model-1a2b3c4d", None),
        ("huggingface_", None),
    ],
)
def test_a_folder_tells_its_model_where_its_name_is_plain(
    folder: str, model_id: ModelId | None
) -> None:
    assert id_of_folder(folder) == model_id


def test_a_model_is_found_by_each_of_its_names(cli: Cli) -> None:
    repo = cli.site.add_repo("google-bert/bert-base-uncased", FILES, aliases=("bert-base-uncased",))
    cli.run("download", "bert")
    names = (
        "bert", "bert-base-uncased", "hf:bert-base-uncased", "google-bert/bert-base-uncased",
        "huggingface_bert-base-uncased", f"hf:bert-base-uncased@{repo.sha}",
        f"hf:bert-base-uncased@{repo.sha[:8]}",
    )  # fmt: skip
    shown = {cli.json("show", name)[0]["path"] for name in names}
    assert shown == {str(cli.entry("huggingface_bert-base-uncased"))}


def test_a_revision_that_is_not_there_names_those_that_are(cli: Cli, tiny: Repo) -> None:
    tiny.tag("v1")
    cli.run("download", f"{NAME}@v1")
    said = cli.fails("show", NAME, code=3)
    assert f"There is {NAME}@{tiny.sha}." in said
    assert len(cli.json("show", f"{NAME}@v1")) == 1


def test_an_entry_of_another_configuration_is_found_as_it_is_stored(cli: Cli) -> None:
    cli.site.add_download("/mine.pth", b"weights")
    weights = "https://download.pytorch.org/mine.pth"
    cli.configure(f'[models.mine]\nsource = "torchvision"\nname = "vgg16"\nweights = "{weights}"\n')
    cli.run("download", "mine")
    cli.configure("")
    (model,) = cli.json("show", "torchvision_vgg16")
    assert model["revision"].startswith("weights-")
    assert cli.json("show", f"torchvision:vgg16@{model['revision']}") == [model]


def test_a_name_that_nothing_explains_is_a_usage_error(cli: Cli, stored: Path) -> None:
    assert "unknown model 'nonsense'" in cli.fails("show", "nonsense", code=2)
