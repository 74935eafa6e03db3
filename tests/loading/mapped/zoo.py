"""Modules of every sort: those that can be mapped, and those that cannot."""

import functools
import re
import warnings
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.fx
from torch import nn
from torch.nn.utils import parametrizations, prune

Make = Callable[[], nn.Module]


class Block(nn.Module):
    """Two layers; what makes a specimen special is added by `with_`."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.second(self.first(x))
        return out


def with_(*add: Callable[[Any], object]) -> Make:
    def make() -> nn.Module:
        block = Block()
        for each in add:
            each(block)
        return block

    return make


class Config:
    def __init__(self) -> None:
        self.sizes = [4, 4]


class Residual(nn.Module):
    """Runs a module that its attributes, not its children, lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.blocks = [nn.Linear(4, 4), nn.Linear(4, 4)]
        self.run = functools.partial(self.layer.forward)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.blocks[1](self.blocks[0](self.run(x)))
        return out


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 3, num_layers=2, bidirectional=True)
        self.gru = nn.GRU(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.gru(self.lstm(x[None])[0])[0]
        return out


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.same = nn.MultiheadAttention(4, 2)
        self.other = nn.MultiheadAttention(4, 2, kdim=4, vdim=4, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.other(*[self.same(x, x, x)[0]] * 3)[0]
        return out


class Parameters(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.several = nn.ParameterList([nn.Parameter(torch.rand(4)), nn.Parameter(torch.rand(4))])
        self.named = nn.ParameterDict({"a.b".replace(".", "_"): nn.Parameter(torch.rand(4))})
        self.scalar = nn.Parameter(torch.tensor(2.0))
        self.complex = nn.Parameter(torch.rand(4, dtype=torch.complex64))
        self.register_parameter("none", None)
        self.register_buffer("nothing", None)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.several[0] * self.several[1] * self.named["a_b"] * self.scalar
        return x * out * self.complex.real


def _conv(*, last: bool) -> Make:
    def make() -> nn.Module:
        module: Any = nn.Sequential(nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 4, 2))
        made: nn.Module = module.to(memory_format=torch.channels_last) if last else module
        return made

    return make


def _tie(block: Any) -> None:
    block.second.weight = block.first.weight


def _one_storage(block: Any) -> None:
    both = torch.rand(8)
    block.register_buffer("whole", both)
    block.register_buffer("left", both[:4])
    block.register_buffer("square", both[4:].view(2, 2))
    block.register_buffer("again", both.view(2, 4))


def _refer_back(block: Any) -> None:
    block.first.owner = [block]
    block.second.owners = {"mine": block}


def _share_config(block: Any) -> None:
    block.config = block.first.config = Config()
    block.inner = [block.config]


def _share_table(block: Any) -> None:
    block.table = block.first.table = {"a": 1}
    block.handle = block.second.register_forward_hook(_double)


def _double(_module: nn.Module, _args: object, out: torch.Tensor) -> torch.Tensor:
    return out * 2


def _hook_of_its_own(block: Any) -> None:
    block.first.register_forward_hook(block.second.register_forward_hook and _double)
    block.second.register_forward_pre_hook(functools.partial(_as_it_is, scale=3))
    block.register_load_state_dict_pre_hook(_ignore)


def _as_it_is(_module: nn.Module, args: Any, *, scale: int) -> Any:
    return tuple(arg * scale for arg in args)


def _ignore(*_: object) -> None: ...


def _freeze(block: Any) -> None:
    block.first.requires_grad_(requires_grad=False)


#: Name -> maker; each takes a tensor of 3 by 4.
MAPPED: Mapping[str, Make] = {
    "plain": Block,
    "normalised": lambda: nn.Sequential(
        nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.ReLU()
    ),
    "no tensors": lambda: nn.Sequential(nn.ReLU(), nn.Flatten()),
    "tied": with_(_tie),
    "one module under two names": with_(lambda b: setattr(b, "second", b.first)),
    "a buffer that is not saved": with_(
        lambda b: b.register_buffer("ids", torch.arange(3), persistent=False)
    ),
    "nn.Buffer": with_(lambda b: setattr(b, "mean", nn.Buffer(torch.rand(3), persistent=False))),
    "buffers of all types": with_(
        lambda b: b.register_buffer("flag", torch.tensor([True, False])),
        lambda b: b.register_buffer("count", torch.tensor(3)),
        lambda b: b.register_buffer("short", torch.rand(3).bfloat16()),
        lambda b: b.register_buffer("empty", torch.empty(0, 4)),
        lambda b: b.register_buffer("eight", torch.rand(3).to(torch.float8_e5m2)),
    ),
    "parameters": Parameters,
    "recurrent": Recurrent,
    "attention": Attention,
    "transformer": lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
    "embedding": lambda: nn.Sequential(_Floor(), nn.Embedding(9, 4, padding_idx=0)),
    "convolution": _conv(last=False),
    "channels last": _conv(last=True),
    "weight norm": with_(lambda b: parametrizations.weight_norm(b.first)),
    "spectral norm": with_(lambda b: parametrizations.spectral_norm(b.second)),
    "orthogonal": with_(lambda b: parametrizations.orthogonal(b.second)),
    "one storage": with_(_one_storage),
    "frozen": with_(_freeze),
    "a hook": with_(_hook_of_its_own),
    "a handle": with_(_share_table),
    "a bound hook": with_(lambda b: b.first.register_forward_hook(_Doubling().run)),
    "a reference back": with_(_refer_back),
    "a shared configuration": with_(_share_config),
    "modules in a list": Residual,
    "a lambda": with_(lambda b: setattr(b, "scale", lambda x: x * 2)),
    "a plain tensor": with_(lambda b: setattr(b, "constant", torch.rand(3))),
    "a generator": with_(lambda b: setattr(b, "dice", torch.Generator().manual_seed(3))),
    # Under its own name: copies of others are called GraphModule, whoever copies them.
    "a module of a graph": lambda: torch.fx.GraphModule(Block(), torch.fx.Tracer().trace(Block())),
    "double": lambda: nn.Sequential(_Doubled(), Block().double()),
    "note on a parameter": with_(lambda b: setattr(b.first.weight, "note", ("loaded", 1))),
}


class _Floor(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.long()


class _Doubled(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.double()


class _Doubling:
    def __init__(self) -> None:
        self.factor = 2

    def run(self, _module: nn.Module, _args: object, out: torch.Tensor) -> torch.Tensor:
        return out * self.factor


class Slotted(Block):
    __slots__ = ("extra",)

    def __init__(self) -> None:
        super().__init__()
        self.extra = [1]


class Stubborn(Block):
    def __deepcopy__(self, memo: object) -> "Stubborn":
        return self


class Uncopied:
    def __deepcopy__(self, memo: object) -> "Uncopied":
        raise TypeError("not me")


def _close_over(block: Any) -> None:
    first = block.first
    block.run = lambda x: first(x)  # noqa: PLW0108  it is the closure that matters


def _close_over_twice(block: Any) -> None:
    inner = block.first.forward

    def outer(x: torch.Tensor) -> object:
        return inner(x)

    def outermost(x: torch.Tensor) -> object:
        return outer(x)

    block.first.forward = outermost


def _close_over_a_partial(block: Any) -> None:
    run = functools.partial(nn.Linear.forward, block.first)
    block.run = lambda x: run(x)  # noqa: PLW0108


def _close_over_a_list(block: Any) -> None:
    layers = {"all": [block.first]}
    block.run = lambda x: layers["all"][0](x)  # noqa: PLW0108


def _hold_a_function_that_holds(block: Any) -> None:
    box = Config()
    vars(box)["run"] = lambda x: block.first(x)  # noqa: PLW0108
    block.box = box


def _default(block: Any) -> None:
    def run(x: torch.Tensor, layer: nn.Module = block.first) -> object:
        return layer(x)

    block.run = run


def _hook_that_closes_over(block: Any) -> None:
    block.first.register_forward_hook(lambda _m, _a, out: out + block.second.bias)


def _weak(block: Any) -> None:
    block.first.owner = weakref.ref(block)


def _weak_keys(block: Any) -> None:
    block.depth = weakref.WeakKeyDictionary({block.first: 1})


def _alias(block: Any) -> None:
    block.row = block.first.weight.data[0]


def _computed(block: Any) -> None:
    block.twice = block.first.weight * 2


def _computed_buffer(block: Any) -> None:
    block.register_buffer("twice", block.first.weight * 2)


def _with_gradient(block: Any) -> None:
    block(torch.rand(3, 4)).sum().backward()


def _prune(block: Any) -> None:
    prune.random_unstructured(block.first, "weight", amount=0.5)  # type: ignore[no-untyped-call]


def _scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module: nn.Module = torch.jit.script(Block())
    return module


#: Name -> maker, and a word of the reason why it is copied or made anew instead.
REFUSED: Mapping[str, tuple[Make, str]] = {
    "a closure over a module": (with_(_close_over), "run leads to a Linear"),
    "a closure within a closure": (with_(_close_over_twice), "first.forward leads to a Linear"),
    "a closure over a partial": (with_(_close_over_a_partial), "run leads to a Linear"),
    "a closure over a list": (with_(_close_over_a_list), "run leads to a Linear"),
    "an object with a closure": (with_(_hold_a_function_that_holds), "box leads to a Block"),
    "a default argument": (with_(_default), "run leads to a Linear"),
    "a hook with a closure": (with_(_hook_that_closes_over), "leads to a Block"),
    "a weak reference": (with_(_weak), "first.owner leads to a Block"),
    "weak keys": (with_(_weak_keys), "depth leads to a Linear"),
    "a view of a parameter": (with_(_alias), "row has its numbers in the memory of first.weight"),
    "a computed attribute": (with_(_computed), "cannot be copied: RuntimeError"),
    "a computed buffer": (with_(_computed_buffer), "twice is computed from another tensor"),
    "a pruned layer": (
        with_(_prune),
        "cannot be copied: RuntimeError",
    ),
    "a gradient": (with_(_with_gradient), "with a gradient"),
    "a hook on a tensor": (
        with_(lambda b: b.first.weight.register_hook(lambda grad: grad * 2)),
        "first.weight has hooks",
    ),
    "a note that can change": (
        with_(lambda b: setattr(b.first.weight, "notes", [])),
        "first.weight.notes would be shared",
    ),
    "slots": (Slotted, "has slots"),
    "its own way to copy": (Stubborn, "leads to a Stubborn"),
    "what will not be copied": (with_(lambda b: setattr(b, "extra", Uncopied())), "not me"),
    "TorchScript": (_scripted, "compiled (TorchScript)"),
    "a lazy layer": (lambda: nn.Sequential(nn.LazyLinear(4)), "UninitializedParameter"),
    "a sparse buffer": (
        with_(lambda b: b.register_buffer("s", torch.eye(3).to_sparse())),
        "sparse or quantised",
    ),
    "types in one memory": (
        with_(
            lambda b: b.register_buffer("f", torch.rand(4)),
            lambda b: b.register_buffer("i", b.f.view(torch.int32)),
        ),
        "different types",
    ),
}


def called(value: object) -> str:
    """A name for a parameter that is the same in every process: no addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
