"""What a user's own callable makes of a folder: built once, copied like any model."""
# ruff: noqa: ARG005, FBT003  callables as users write them

import copy
import functools
import gc
import json
import subprocess
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from loading.mapped.zoo import MAPPED, REFUSED, Block, Config
from small_disks import small_disk_at
from torch import nn

from pytest_potmodels.artifacts import LoadedModel, StoredModel
from pytest_potmodels.loading.built_originals import identity
from pytest_potmodels.loading.mapped.likeness import first_difference
from pytest_potmodels.loading.originals import Originals
from pytest_potmodels.store.derived import DerivedStore
from pytest_potmodels.store.layout import Layout

X = torch.arange(12.0).view(3, 4) / 5
#: A name of this module that builders look up.
WIDTH = 4


@pytest.fixture
def stored(tmp_path: Path, store: Any) -> StoredModel:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "size").write_text("4", encoding="utf-8")
    found: StoredModel = store(folder)
    return found


@pytest.fixture
def originals(tmp_path: Path) -> Originals:
    derived = DerivedStore(Layout.at(tmp_path / "cache"))
    return Originals(derived, budget=10**9, timeout=30, collector="keep")


Build = Callable[[Any], LoadedModel]


@pytest.fixture
def build(originals: Originals, stored: StoredModel, tmp_path: Path) -> Build:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return lambda make: originals.build(stored, make, scratch, device="cpu")


class Counted:
    """Makes modules, and counts how often."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make
        self.folders: list[Path] = []

    def __call__(self, folder: Path) -> Any:
        self.folders.append(folder)
        torch.manual_seed(0)
        return self.make()


@pytest.mark.parametrize("name", MAPPED)
def test_every_sort_of_module_is_built_once_and_pristine_each_time(
    name: str, build: Build, originals: Originals, stored: StoredModel
) -> None:
    make = Counted(MAPPED[name])
    expected = make(stored.path)
    for _ in range(3):
        loaded = build(make)
        assert loaded.not_mapped == ""
        if name not in ("a module of a graph", "a handle"):
            assert first_difference(loaded.model, expected) == ""
        with torch.no_grad():
            for parameter in loaded.model.parameters():
                parameter.fill_(3)
            assert torch.equal(build(make).model.eval()(X), copy.deepcopy(expected).eval()(X))
        del loaded
        originals.settle()
    assert make.folders == [stored.path] * 2


@pytest.mark.parametrize("name", sorted(set(REFUSED) - {"a lazy layer"}))
def test_what_cannot_be_mapped_is_pristine_all_the_same_and_says_why(
    name: str, build: Build, originals: Originals, caplog: pytest.LogCaptureFixture
) -> None:
    make, reason = REFUSED[name]
    counted = Counted(make)
    for _ in range(3):
        model = build(counted).model
        assert _is_like_new(model, make)
        _ruin(model)
        assert reason in build(counted).not_mapped
        originals.settle()
    assert caplog.text.count("is not mapped, each test gets a slow copy") == 1
    assert reason in caplog.text


def _is_like_new(model: Any, make: Callable[[], Any]) -> bool:
    torch.manual_seed(0)
    new = make()
    same = torch.equal(model(X), new(X)) and model.training == new.training
    run = getattr(model, "run", None)
    return same and (run is None or torch.equal(run(X), new.run(X)))


def _ruin(model: Any) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(3)
    model.eval()
    if isinstance(getattr(model, "extra", None), list):
        model.extra.append(2)


def test_a_copy_is_what_the_callable_gave_in_its_mode(build: Build) -> None:
    assert build(Counted(lambda: nn.Linear(2, 2))).model.training
    assert not build(Counted(lambda: nn.Linear(2, 2).eval())).model.training


def test_of_a_closure_each_copy_runs_its_own_layers(build: Build) -> None:
    """copy.deepcopy would let all copies run the layers of the first."""
    make, _ = REFUSED["a closure over a module"]
    model = build(Counted(make)).model
    nn.init.zeros_(model.first.weight)
    nn.init.zeros_(model.first.bias)
    assert (model.run(X) == 0).all()


def test_weights_that_a_callable_draws_are_the_same_whoever_comes_first(
    build: Build, originals: Originals
) -> None:
    torch.manual_seed(1)
    with torch.device("meta"):
        one = build(lambda _: nn.Linear(4, 4)).model
    originals._open.clear()
    torch.manual_seed(2)
    torch.set_default_dtype(torch.float64)
    two = build(lambda _: nn.Linear(4, 4)).model
    torch.set_default_dtype(torch.float32)
    assert first_difference(one, two) == ""


def test_building_moves_no_random_state(build: Build) -> None:
    state = torch.get_rng_state()
    build(lambda _: nn.Linear(4, 4))
    assert torch.equal(torch.get_rng_state(), state)


# ---- Results that are no modules --------------------------------------------------------------


class Pipeline:
    """What libraries wrap around a model."""

    def __init__(self) -> None:
        self.net = nn.Linear(4, 4)
        self.names = ["a"]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.net(x)
        return out


def _as_function() -> Callable[[torch.Tensor], torch.Tensor]:
    net = nn.Linear(4, 4)
    function: Callable[[torch.Tensor], torch.Tensor] = lambda x: net(x)  # noqa: E731, PLW0108
    return function


def _as_method() -> Any:
    return nn.Linear(4, 4).forward


@pytest.mark.parametrize(
    ("make", "calls"),
    [(Pipeline, 1), (_as_function, 4), (_as_method, 1)],
    ids=["object", "function", "method"],
)
def test_a_result_that_is_no_module_is_pristine_too(
    make: Callable[[], Any], calls: int, build: Build, originals: Originals
) -> None:
    counted = Counted(make)
    torch.manual_seed(0)
    expected = make()(X)
    for _ in range(3):
        loaded = build(counted)
        assert torch.equal(loaded(X), expected)
        assert "is no torch module" in loaded.not_mapped
        net = _net(loaded.model)
        nn.init.zeros_(net.weight)
        nn.init.zeros_(net.bias)
        assert (loaded(X) == 0).all()
        originals.settle()
    assert len(counted.folders) == calls
    assert build(counted).memory_mb >= 0


def _net(made: Any) -> Any:
    if isinstance(made, Pipeline):
        return made.net
    return (
        made.__self__ if isinstance(made, types.MethodType) else made.__closure__[0].cell_contents
    )


class Session:
    """A handle to something outside of Python."""

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle 'Session' object")


def test_what_cannot_be_copied_is_built_each_time(build: Build) -> None:
    counted = Counted(Session)
    made = [build(counted).model for _ in range(3)]
    assert len({id(each) for each in made}) == 3
    assert len(counted.folders) == 4
    assert "cannot pickle 'Session' object" in build(counted).not_mapped


def test_many_small_models_use_up_no_descriptors(build: Build, originals: Originals) -> None:
    resource = pytest.importorskip("resource")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, most))
    try:
        for width in range(1, 200):
            loaded = build(functools.partial(_of_width, width=width))
            assert loaded.not_mapped == ""
            assert loaded.model.in_features == width
            originals.settle()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def _of_width(_folder: Path, width: int) -> nn.Module:
    return nn.Linear(width, 2)


def test_an_error_in_the_callable_is_the_callers(build: Build) -> None:
    counted = Counted(lambda: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            build(counted)
    assert len(counted.folders) == 2


def test_a_callable_may_ask_for_another_model_meanwhile(build: Build) -> None:
    inner = Counted(lambda: nn.Linear(4, 4))

    def outer(_folder: Path) -> nn.Module:
        return nn.Sequential(build(inner).model, nn.ReLU())

    assert build(outer).not_mapped == ""
    assert build(inner).not_mapped == ""
    assert len(inner.folders) == 1


def test_threads_that_ask_at_once_get_a_copy_each_and_one_is_built(build: Build) -> None:
    counted, found = Counted(lambda: nn.Linear(4, 4)), []
    threads = [threading.Thread(target=lambda: found.append(build(counted))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len({id(each.model) for each in found}) == 8
    assert len({each.model.weight.data_ptr() for each in found}) == 8
    assert len(counted.folders) == 1


# ---- Which callables are one ------------------------------------------------------------------


def _make(folder: Any, *_: object, **_more: object) -> nn.Module:
    return nn.Linear(int((folder / "size").read_text(encoding="utf-8")), 2)


def in_a_body(*held: Any) -> Any:
    """A lambda as a test's body defines it: a new object each time."""
    return lambda folder: (held, folder)


def _wide(folder: Any, **_: object) -> Any:
    return nn.Linear(WIDTH, 2), folder


def _recursive() -> Any:
    def make(folder: Path, depth: int = 1) -> Any:
        return make(folder, depth - 1) if depth else folder

    return make


def _capturing(inner: Any) -> Any:
    return lambda folder: inner(folder)  # noqa: PLW0108


class Maker:
    def make(self, folder: Path) -> Any:
        return folder


MAKER = Maker()
SHARED = Config()

#: The same text on two lines.
_same_lambdas = iter(
    [
        lambda folder: lambda size: (size, folder, 1.5, (2, "a")),
        lambda folder: lambda size: (size, folder, 1.5, (2, "a")),
    ]
    * 2
)
_recursive_lambdas = iter([_recursive(), _recursive()] * 2)

SAME: list[Callable[[], Any]] = [
    lambda: _make,
    in_a_body,
    lambda: in_a_body(1, "a", None, b"b", 2.5, Path("c")),
    lambda: in_a_body(SHARED),
    lambda: functools.partial(_make),
    lambda: functools.partial(_wide, x=1, y=SHARED),
    lambda: functools.partial(lambda folder, a: (folder, a), a=3),
    lambda: MAKER.make,
    lambda: Block,
    _recursive,
    lambda: _capturing(lambda folder: folder),
    lambda: _capturing(functools.partial(_make)),
    lambda: _wide,
    lambda: next(_same_lambdas),
    lambda: next(_recursive_lambdas),
]


@pytest.mark.parametrize("make", SAME, ids=range(len(SAME)))
def test_the_same_callable_is_known_again(make: Callable[[], Any]) -> None:
    assert identity(make()) == identity(make())
    assert hash(identity(make())) == hash(identity(make()))


OTHERS: list[tuple[Any, Any]] = [
    (_make, _wide),
    (in_a_body(1), in_a_body(2)),
    (in_a_body(1), in_a_body(True)),
    (in_a_body(1), in_a_body(1.0)),
    (in_a_body(0.0), in_a_body(-0.0)),
    (in_a_body("a"), in_a_body(Path("a"))),
    (in_a_body(Config()), in_a_body(Config())),
    (in_a_body([]), in_a_body([])),
    (in_a_body((1, 2)), in_a_body((1, 2.0))),
    (functools.partial(_make, a=1), functools.partial(_make, a=2)),
    (functools.partial(_make, 1), functools.partial(_make, 2)),
    (functools.partial(_make, a=1), functools.partial(_make, b=1)),
    (Maker().make, Maker().make),
    (_capturing(lambda folder: folder), _capturing(lambda folder: [folder])),
    (Maker(), Maker()),
    (lambda folder: folder, lambda folder: folder and None),
    (lambda folder: (folder, 1), lambda folder: (folder, True)),
    (lambda folder: (folder, 1), lambda folder: (folder, 1.0)),
    (lambda folder: (folder, (1,)), lambda folder: (folder, (True,))),
    (lambda folder: lambda: (folder, 1), lambda folder: lambda: (folder, 2)),
    (lambda folder: folder.name, lambda folder: folder.stem),
    (lambda _: Block(), lambda _: Maker()),
    (lambda folder, *more: folder, lambda folder, **more: folder),
    (lambda folder, a=1: (folder, a), lambda folder, a=2: (folder, a)),
]


@pytest.mark.parametrize(("one", "other"), OTHERS, ids=range(len(OTHERS)))
def test_another_callable_is_another(one: Any, other: Any) -> None:
    assert identity(one) != identity(other)


def test_two_test_modules_of_one_name_have_callables_of_their_own(tmp_path: Path) -> None:
    text = "def make(folder): return SIZE\n"
    made = []
    for size in (1, 2):
        names: dict[str, Any] = {"__name__": "test_models", "SIZE": size}
        exec(compile(text, str(tmp_path / str(size) / "test_models.py"), "exec"), names)  # noqa: S102
        made.append(names["make"])
    assert made[0].__code__ == made[1].__code__
    assert identity(made[0]) != identity(made[1])


def test_a_name_that_is_bound_anew_makes_another_callable(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity(_wide)
    assert identity(_wide) == before
    monkeypatch.setattr(sys.modules[__name__], "WIDTH", 5)
    assert identity(_wide) != before


def test_two_callables_of_one_folder_are_two_models(build: Build) -> None:
    one = build(lambda _: nn.Linear(4, 1)).model
    two = build(lambda _: nn.Linear(4, 2)).model
    assert (one.out_features, two.out_features) == (1, 2)


def test_a_lambda_in_a_body_is_built_once(build: Build) -> None:
    counted = Counted(lambda: nn.Linear(4, 4))
    for _ in range(3):
        build(lambda folder: counted(folder))  # noqa: PLW0108
    assert len(counted.folders) == 1


# ---- Several processes ------------------------------------------------------------------------


def test_processes_that_build_the_same_share_one_file(stored: StoredModel, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    child = Path(__file__).with_name("child_build.py")
    order = json.dumps({"folder": str(stored.path), "scratch": str(scratch)})
    for seed, files in (("1", 1), ("1", 1), ("2", 2)):
        command = [sys.executable, str(child), order, seed]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert len([path for path in scratch.rglob("*") if path.is_file()]) == files


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk_at(tmp_path / "small", "64k") as place:
        yield place


def test_where_the_disk_is_full_copies_are_in_memory(
    originals: Originals, stored: StoredModel, small_disk: Path
) -> None:
    counted = Counted(lambda: nn.Linear(300, 300))
    first = originals.build(stored, counted, small_disk, device="cpu")
    assert "No space left" in first.not_mapped
    nn.init.zeros_(first.model.weight)
    second = originals.build(stored, counted, small_disk, device="cpu")
    assert second.model.weight.any()
    assert len(counted.folders) == 1


def test_the_built_model_itself_is_given_to_nobody_and_its_memory_let_go(build: Build) -> None:
    kept: list[weakref.ref[Any]] = []

    def make(_folder: Path) -> nn.Module:
        model = nn.Linear(500, 500)
        kept.append(weakref.ref(model.weight.untyped_storage()))
        return model

    build(make)
    gc.collect()
    assert kept[0]() is None
