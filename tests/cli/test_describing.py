"""`potmodels config` and `potmodels catalog`."""

from pathlib import Path

from cli.harness import Cli

from pytest_potmodels.catalog.torchvision_weights import architectures
from pytest_potmodels.settings.options import OPTIONS


def settings(cli: Cli) -> dict[str, tuple[object, str]]:
    return {each["name"]: (each["value"], each["origin"]) for each in cli.json("config")}


def test_every_setting_is_shown_with_its_origin(cli: Cli) -> None:
    found = settings(cli)
    assert {option.key for option in OPTIONS} <= set(found)
    assert found["timeout"] == (600.0, "default")
    assert found["cache_dir"] == (str(cli.cache), "POT_CACHE_DIR")
    assert found["hub_endpoint"] == (cli.site.hub.url, "HF_ENDPOINT")
    assert found["config"] == (None, "none")


def test_the_table_says_the_same(cli: Cli) -> None:
    lines = cli.run("config").stdout.splitlines()
    assert lines[0].split() == ["SETTING", "VALUE", "FROM"]
    assert ["cache_dir", str(cli.cache)] in [line.split()[:2] for line in lines]


def test_ci_and_what_follows_from_it(cli: Cli) -> None:
    cli.environ |= {"CI": "", "GITHUB_ACTIONS": "true"}
    found = settings(cli)
    assert found["missing"] == ("fail", "default in CI (GITHUB_ACTIONS)")
    assert found["ci"] == ("GITHUB_ACTIONS", "GITHUB_ACTIONS")


def test_a_mirrors_password_is_not_shown(cli: Cli) -> None:
    mirror = "https://a.example=https://user:secret@b.example"
    cli.environ |= {"POT_MIRRORS": mirror, "HF_ENDPOINT": "https://user:secret@hub.example"}
    done = cli.run("config")
    assert "https://b.example" in done.stdout
    assert "secret" not in done.stdout
    assert "secret" not in cli.run("config", "--json").stdout


def test_the_folder_of_a_yaml_file_is_shown(cli: Cli, tmp_path: Path) -> None:
    named = tmp_path / "config.yaml"
    named.write_text("models:\n  download:\n    cache_dir: models/\n")
    del cli.environ["POT_CACHE_DIR"]
    cli.environ["POT_CONFIG"] = str(named)
    assert settings(cli)["models_folder"] == (str(tmp_path / "models"), str(named))


def test_the_catalog_has_all_names(cli: Cli) -> None:
    cli.configure(
        '[models.mine]\nsource = "torchvision"\nname = "vgg16"\n'
        'weights = "https://user:secret@models.example/mine.pth"\n'
    )
    rows = cli.json("catalog")
    by_type: dict[str, list[str]] = {}
    for row in rows:
        by_type.setdefault(row["type"], []).append(row["name"])
    assert {"test", "minimal", "paper"} <= set(by_type["preset"])
    assert {"basic", "vision", "nlp", "all"} <= set(by_type["collection"])
    assert {"mine", "resnet18", "bert-base-uncased", "mock-cnn"} <= set(by_type["model"])
    assert {"bert", "mobilenet"} <= set(by_type["alias"])
    assert by_type["architecture"] == list(architectures())
    assert "t5-small" in by_type["historic"]
    (mine,) = (row for row in rows if row["name"] == "mine")
    assert (mine["source"], mine["kind"]) == ("torchvision", "vision")
    assert "secret" not in str(rows)


def test_each_name_of_the_catalog_can_be_asked_for(cli: Cli) -> None:
    """Under --offline each is built in, here, or simply not there; none is unknown."""
    names = [row["name"] for row in cli.json("catalog") if "id" in row]
    done = cli.json("warm", "--offline", *names, code=3)
    assert {each.get("reason", each["status"]) for each in done} == {
        "not-cached", "built in", "in place",
    }  # fmt: skip


def test_the_catalog_as_text_counts_the_architectures(cli: Cli) -> None:
    said = cli.run("catalog").stdout
    assert f"torchvision architectures ({len(architectures())}): alexnet, " in said
    assert "wide_resnet101_2" in said
