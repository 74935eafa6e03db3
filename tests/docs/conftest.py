"""The presets' models under their own names, on servers of this machine."""

from collections.abc import Iterator
from pathlib import Path

import hub_repos
import pytest
from docs.project import Project, clean_environment
from standin import StandIn
from standin.models import tiny_bert, torchvision_weights

#: Another package may say what a name means, and the command line sees that, too. The state dicts
#: made here have other digests than torchvision's, so the names lead to them by URL.
_TABLE = """
TABLE = {{"models": {{
    name: {{
        "source": "torchvision",
        "name": name,
        "weights": "https://download.pytorch.org/models/" + file,
    }}
    for name, file in {files!r}.items()
}}}}
"""
_GUARD = """
from pytest_potmodels.loading.torchvision_guard import import_torchvision
import_torchvision()
"""


@pytest.fixture(scope="session")
def published() -> Iterator[tuple[StandIn, dict[str, str]]]:
    """Servers with the models of the presets, and the file of each torchvision network."""
    with StandIn() as site:
        files = {}
        for name in ("mobilenet_v2", "resnet18"):
            files[name], data = torchvision_weights(name)
            site.add_download(f"/models/{files[name]}", data)
        name, data = hub_repos.weights()
        site.add_download(f"/models/{name}", data)
        site.add_git_repo("acme/nets", hub_repos.tiny_files(name))
        site.add_download("/by-url/flowers.pth", torchvision_weights("squeezenet1_1")[1])
        for seed, repo in enumerate(
            ("google-bert/bert-base-uncased", "distilbert/distilbert-base-uncased")
        ):
            site.add_repo(repo, tiny_bert(seed=seed), aliases=(repo.partition("/")[2],))
        yield site, files


@pytest.fixture
def project(published: tuple[StandIn, dict[str, str]], tmp_path: Path) -> Project:
    """An empty project, an empty cache, and the servers."""
    site, files = published
    packages, folder, home = (tmp_path / name for name in ("packages", "project", "home"))
    meta = packages / "docs_models-1.0.dist-info"
    for made in (meta, folder / ".git", home):
        made.mkdir(parents=True)
    (packages / "importable_torchvision.py").write_text(_GUARD)
    (packages / "docs_models.py").write_text(_TABLE.format(files=files))
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: docs-models\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text("[pytest_potmodels]\ndocs = docs_models:TABLE\n")
    environ = {**clean_environment(home), **site.environ(), "PYTHONPATH": str(packages)}
    environ["POT_MIRRORS"] += f" https://files.example.org={site.downloads.url}/by-url"
    return Project(folder, environ)
