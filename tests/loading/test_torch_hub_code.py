"""Code from outside runs, and leaves Python and torch.hub as they were."""

import os
import pickle
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import torch.hub
from hub_repos import hubconf, named

from pytest_potmodels.errors import MissingPackageError, Reason, UnavailableError
from pytest_potmodels.loading.torch_hub_code import importable, run_entry
from pytest_potmodels.loading.torch_hub_routes import RefusedError, cut_off, routed

MODEL = "pytorch_hub:acme/nets/tiny"
URL = "https://weights.example"
Run = Callable[..., Any]


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs an entry point; `served` are the files that its code may fetch."""

    def run(
        files: Mapping[str, bytes] | str,
        *,
        entry: str = "tiny",
        served: Mapping[str, bytes] | None = None,
    ) -> Any:
        folder = tmp_path.resolve() / "entry"
        write(folder / "code", hubconf(files) if isinstance(files, str) else files)

        def fetch(url: str, path: str, _prefix: str) -> None:
            name = url.rpartition("/")[2]
            if name not in (served or {}):
                raise RefusedError(f"its code wants {path} ({url})")
            write(folder, {path: (served or {})[name]})

        with routed(folder, fetch), cut_off():
            return run_entry(MODEL, folder, entry)

    return run


def refused(run: Run, *args: Any, **options: Any) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        run(*args, **options)
    return caught.value


def state() -> tuple[Any, ...]:
    """All that an entry point may not change."""
    hub = [vars(torch.hub)[name] for name in sorted(vars(torch.hub)) if not name.startswith("__")]
    doors = [pickle.load, pickle.loads, socket.getaddrinfo, socket.socket.connect]
    return (
        [*sys.path], set(sys.modules), {**os.environ}, hub, doors, sys.dont_write_bytecode,
        [place for place in sys.path_importer_cache if "entry" in place], Path.cwd(),
    )  # fmt: skip


def test_python_and_torch_hub_are_as_they_were(run: Run) -> None:
    files = {
        "hubconf.py": b"import sys, os, torch, nets.deep.one\nfrom nets import two\n"
        b"sys.path.append('/somewhere')\n"
        b"def tiny():\n"
        b"    import lazily\n"
        b"    torch.hub.set_dir('/elsewhere')\n"
        b"    return nets.deep.one.VALUE, two.__name__, lazily.__name__, torch.hub.get_dir()\n",
        "nets/__init__.py": b"",
        "nets/deep/__init__.py": b"",
        "nets/deep/one.py": b"VALUE = 1\n",
        "nets/two.py": b"",
        "lazily.py": b"",
    }
    before = state()
    value, two, lazily, _ = run(files)
    assert (value, two, lazily) == (1, "nets.two", "lazily")
    assert state() == before


def test_they_are_so_after_a_failure_too(run: Run, tmp_path: Path) -> None:
    before = state()
    refused(run, "import hubconf\nraise ValueError('no')")
    assert state() == before
    assert not list(tmp_path.rglob("*.pyc"))


def test_a_module_of_the_users_does_not_stand_in_for_the_repositorys(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, below = ModuleType("nets"), ModuleType("nets.below")
    monkeypatch.setitem(sys.modules, "nets", mine)
    monkeypatch.setitem(sys.modules, "nets.below", below)
    files = {
        "hubconf.py": b"import nets\ndef tiny(): return nets.WHOSE\n",
        "nets.py": b"WHOSE = 'theirs'",
    }
    assert run(files) == "theirs"
    assert sys.modules["nets"] is mine
    assert sys.modules["nets.below"] is below


def test_what_the_code_imports_from_elsewhere_stays(tmp_path: Path) -> None:
    write(tmp_path / "code", {"own_of_test.py": b"import colorsys\n"})
    sys.modules.pop("colorsys", None)
    with importable(tmp_path / "code"):
        import own_of_test  # type: ignore[import-not-found]  # noqa: F401, PLC0415
    assert "own_of_test" not in sys.modules
    assert "colorsys" in sys.modules


def test_the_repository_is_imported_anew_each_time(run: Run) -> None:
    assert run({"hubconf.py": b"import it\ndef tiny(): return it.N\n", "it.py": b"N = 1\n"}) == 1
    assert run({"it.py": b"N = 2\n"}) == 2


def test_code_does_not_end_the_process(run: Run) -> None:
    said = refused(run, "import sys\nsys.exit('enough')")
    assert "SystemExit: enough (hubconf.py:5)" in said.message


def test_dataclasses_find_the_module_that_they_are_in(run: Run) -> None:
    code = b"from __future__ import annotations\nfrom dataclasses import dataclass\n"
    code += b"@dataclass\nclass C:\n    x: int = 3\ndef tiny(): return C().x\n"
    assert run({"hubconf.py": code}) == 3


@pytest.mark.parametrize(
    ("signature", "asked"),
    [
        ("pretrained=False", "[('pretrained', True)]"),
        ("pretrained=True", "[('pretrained', True)]"),
        ("pretrained=None", "[('pretrained', None)]"),
        ("progress=True", "[('progress', True)]"),
        ("weights=None", "[('weights', None)]"),
        ("weights: 'Optional[W]' = None", "[('weights', <W.DEFAULT: 1>)]"),
        ("weights: Optional[W] = None", "[('weights', <W.DEFAULT: 1>)]"),
        ("weights: Optional[Plain] = None", "[('weights', None)]"),
    ],
)
def test_weights_are_asked_for_where_that_can_be_said(run: Run, signature: str, asked: str) -> None:
    code = f"""
import enum
from typing import Optional
class W(enum.Enum):
    DEFAULT = 1
class Plain(enum.Enum):
    A = 1
def tiny({signature}):
    return repr(sorted(locals().items()))
"""
    assert run({"hubconf.py": code.encode()}) == asked


def test_weights_come_from_the_folder_wherever_the_code_would_have_them(run: Run) -> None:
    name, data = named({"w": torch.ones(2)})
    for call in (
        f"torch.hub.load_state_dict_from_url('{URL}/{name}', check_hash=True)",
        f"torch.hub.load_state_dict_from_url('{URL}/{name}', model_dir='/elsewhere')",
        f"torch.hub.load_state_dict_from_url('{URL}/{name}', '/elsewhere', weights_only=False)",
        f"__import__('torch.utils.model_zoo').utils.model_zoo.load_url('{URL}/{name}')",
        f"torch.hub.load_state_dict_from_url('{URL}/x', file_name='{name}')",
    ):
        found = run(f"return {call}", served={name: data})
        assert torch.equal(found["w"], torch.ones(2))


def test_a_download_into_the_folder_is_kept_there(run: Run, tmp_path: Path) -> None:
    body = f"""
import os
place = os.path.join(torch.hub.get_dir(), 'checkpoints', 'sub', 'x.bin')
torch.hub.download_url_to_file('{URL}/x.bin', place, progress=False)
from pathlib import Path
return Path(place).read_bytes()
"""
    assert run(body, served={"x.bin": b"content"}) == b"content"
    assert (tmp_path / "entry" / "checkpoints" / "sub" / "x.bin").exists()


@pytest.mark.parametrize(
    "place",
    [
        "'x.bin'",
        "os.path.abspath(os.sep + 'x.bin')",
        "os.path.join(torch.hub.get_dir(), 'x.bin')",
        "os.path.join(torch.hub.get_dir(), 'code', 'hubconf.py')",
        "os.path.join(torch.hub.get_dir(), 'model_info.json')",
        "os.path.join(torch.hub.get_dir(), 'checkpoints', '..', 'code', 'x.py')",
        "os.path.join(torch.hub.get_dir(), 'checkpoints', '..', '..', 'x')",
        "os.path.join('~', 'x.bin')",
    ],
)
def test_a_download_to_anywhere_else_is_refused(run: Run, place: str) -> None:
    body = f"import os\ntorch.hub.download_url_to_file('{URL}/x.bin', {place})"
    said = refused(run, body, served={"x.bin": b""})
    assert "is kept with the model (hubconf.py:5)" in said.message


class Evil:
    """Runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("it-ran",))


@pytest.mark.parametrize(
    "load",
    [
        f"torch.hub.load_state_dict_from_url('{URL}/evil.pth', weights_only=False)",
        f"__import__('torch.utils.model_zoo').utils.model_zoo.load_url('{URL}/evil.pth')",
        "torch.load(CODE + '/evil.pth', weights_only=False)",
        "torch.load(CODE + '/evil.pth', pickle_module=pickle)",
        "pickle.load(io.BytesIO(Path(CODE, 'evil.pickle').read_bytes()))",
        "pickle.loads(Path(CODE, 'evil.pickle').read_bytes())",
        "__import__('numpy').load(CODE + '/evil.pickle', allow_pickle=True)",
    ],
)
def test_nothing_is_unpickled(
    run: Run, load: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = named({"evil": Evil()})[1]
    code = (
        "import io, os, pickle, torch\nfrom pathlib import Path\nCODE = os.path.dirname(__file__)\n"
    )
    code += f"def tiny(): return {load}\n"
    files = {"hubconf.py": code.encode(), "evil.pth": data, "evil.pickle": pickle.dumps(Evil())}
    said = refused(run, files, served={"evil.pth": data})
    assert said.reason is Reason.NOT_LOADABLE
    assert not (tmp_path / "it-ran").exists()


def test_that_is_what_the_error_says(run: Run) -> None:
    data = named({"evil": Evil()})[1]
    said = refused(run, f"torch.hub.load_state_dict_from_url('{URL}/x')", served={"x": data})
    assert "Python objects beside tensors, and those are never executed" in said.message
    assert "tensors alone" in said.remedy


def test_code_of_another_repository_is_refused(run: Run) -> None:
    said = refused(run, "torch.hub.load('other/repo', 'net')")
    assert "torch.hub.load('other/repo', ...)" in said.message


def test_code_of_its_own_folder_is_not_another_repository(run: Run) -> None:
    files = hubconf(
        "import os\nreturn torch.hub.load(os.path.dirname(__file__), 'two', source='local')"
    )
    files["hubconf.py"] += b"\ndef two(): return 2\n"
    assert run(files) == 2


@pytest.mark.parametrize(
    "call",
    [
        "__import__('urllib.request').request.urlopen('http://weights.example/x')",
        "socket.create_connection(('weights.example', 80))",
        "with socket.socket() as one: one.connect(('127.0.0.1', 9))",
        "with socket.socket() as one: one.connect_ex(('127.0.0.1', 9))",
    ],
    ids=["urllib", "create_connection", "connect", "connect_ex"],
)
def test_nothing_connects_past_torch_hub(run: Run, call: str) -> None:
    said = refused(run, f"import socket\n{call}")
    assert "by itself, and only what it fetches through torch.hub" in said.message


def test_another_thread_goes_through_the_doors_as_they_were(tmp_path: Path) -> None:
    found: list[Any] = []

    def other() -> None:
        found.append(pickle.loads(pickle.dumps({"a": 1})))  # noqa: S301 - the test's own
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(closed.getsockname())

    with routed(tmp_path, lambda *_: None), cut_off():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert found == [{"a": 1}]


def test_an_unknown_entry_point_has_close_matches(run: Run) -> None:
    files = {"hubconf.py": b"dependencies = []\ndef resnet50(): ...\ndef _hidden(): ...\n"}
    said = refused(run, files, entry="resnet_50")
    assert "no entry point 'resnet_50'. Did you mean resnet50?" in said.message
    assert said.remedy == "entry points: resnet50"
    assert said.reason is Reason.UNKNOWN_MODEL


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("dependencies = ['torch', 'cv2_absent', 'yaml_absent']", "cv2_absent yaml_absent"),
        ("import absent_package.sub", "absent_package"),
        ("dependencies = ('absent_package',)", "absent_package"),
    ],
)
def test_missing_packages_come_with_their_pip_line(run: Run, code: str, remedy: str) -> None:
    with pytest.raises(MissingPackageError) as caught:
        run({"hubconf.py": f"{code}\ndef tiny(): ...\n".encode()})
    assert caught.value.remedy == f"pip install {remedy}"


def test_a_package_that_the_repository_brings_is_not_missing(run: Run) -> None:
    files = {"hubconf.py": b"dependencies = ['brought']\nimport brought\ndef tiny(): return 1\n"}
    assert run({**files, "brought/__init__.py": b""}) == 1


def test_torchvisions_own_repository_is_built_by_the_torchvision_that_is_installed(
    run: Run, models: Any
) -> None:
    # As in pytorch/vision: the package beside hubconf.py, builders with their `weights`.
    url = models.SqueezeNet1_1_Weights.DEFAULT.url
    state = models.squeezenet1_1(weights=None).state_dict()
    files = {
        "hubconf.py": b"dependencies = ['torch']\nfrom torchvision.models import squeezenet1_1\n",
        "torchvision/__init__.py": b"raise RuntimeError('two of them cannot be in one process')\n",
    }
    served = {url.rpartition("/")[2]: named(state)[1]}
    model = run(files, entry="squeezenet1_1", served=served)
    assert type(model) is models.SqueezeNet
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


def test_a_hubconf_that_is_no_python_is_not_loadable(run: Run) -> None:
    assert "SyntaxError" in refused(run, {"hubconf.py": b"def tiny(:\n"}).message
    assert refused(run, {"hubconf.py": b"\xff\xfe"}).reason is Reason.NOT_LOADABLE
