"""What torch makes of modules: copies answer alike, and what cannot be made is said."""

import copy
import io
import pickle
from collections.abc import Callable

import pytest
import torch
from lut_networks import config, fitted, samples
from torch import nn

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut import SimpleFeedForward

KINDS = [("probabilistic", "random"), ("dwn", "learnable"), ("warp", "learnable")]
MODES = ["expectation", "deterministic", "sampling"]


def saved(model: SimpleFeedForward) -> nn.Module:
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    found: nn.Module = torch.load(buffer, weights_only=False)
    return found


def stated(model: SimpleFeedForward) -> nn.Module:
    other = SimpleFeedForward(model.get_config())
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    other.load_state_dict(model.state_dict())
    return other


FORMS: dict[str, Callable[[SimpleFeedForward], nn.Module]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),  # noqa: S301 - our own
    "torch.save": saved,
    "state_dict": stated,
    "to": lambda model: copy.deepcopy(model).to("cpu"),
    "share_memory": lambda model: copy.deepcopy(model).share_memory(),
    "DataParallel": lambda model: nn.DataParallel(copy.deepcopy(model)),
}


@pytest.mark.parametrize(("node", "layer"), KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_a_copy_answers_like_its_original(form: str, node: str, layer: str) -> None:
    for mode in MODES:
        model = fitted(node_type=node, layer_type=layer, runtime={"seed": 0, "eval_mode": mode})
        other = FORMS[form](model)
        other.eval()
        assert torch.equal(other(samples(200)), model(samples(200)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch warns of what it does itself as it compiles.
@pytest.mark.parametrize("mode", MODES)
def test_what_torch_compiles_answers_like_its_original(mode: str) -> None:
    model = fitted(runtime={"seed": 0, "eval_mode": mode})
    compiled = torch.compile(copy.deepcopy(model), backend="eager")
    assert torch.equal(compiled(samples(200)), model(samples(200)))


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace:DeprecationWarning")
@pytest.mark.parametrize("mode", MODES)
def test_a_trace_is_refused_because_it_would_hold_the_answers_themselves(mode: str) -> None:
    model = fitted(runtime={"seed": 0, "eval_mode": mode})
    with pytest.raises(LUTError, match=r"cannot be traced or exported(.|\n)*potmodels export"):
        torch.jit.trace(model, samples(200), check_trace=False)  # type: ignore[no-untyped-call]


@pytest.mark.slow
def test_an_export_is_refused() -> None:
    with pytest.raises(LUTError, match=r"cannot be traced or exported(.|\n)*harden"):
        torch.export.export(fitted(), (samples(),), strict=False)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_digits_give_nearly_the_same(dtype: torch.dtype) -> None:
    model = fitted()
    other = copy.deepcopy(model).to(dtype)
    found = other.train()(samples())
    assert found.dtype == dtype
    assert (found.float() - model(samples())).abs().max() < 0.05
    found.sum().backward()
    assert all(parameter.grad is not None for parameter in other.parameters())


def test_a_model_whose_size_nobody_knows_is_copied_too() -> None:
    model = pickle.loads(pickle.dumps(SimpleFeedForward(config())))  # noqa: S301 - our own
    model.fit_encoder(samples())
    assert torch.equal(model.eval()(samples()), fitted()(samples()))


def test_a_state_for_a_network_that_is_not_built_yet_is_said() -> None:
    state = fitted().state_dict()
    fresh = SimpleFeedForward(config())
    for model, prefix in ((fresh, ""), (nn.ModuleDict({"net": fresh}), "net.")):
        given = {f"{prefix}{name}": tensor for name, tensor in state.items()}
        with pytest.raises(LUTError, match=r"no tensors yet(.|\n)*input_size"):
            model.load_state_dict(given)
    known = SimpleFeedForward(config(input_size=8))
    known.load_state_dict(state)
    assert torch.equal(known.eval()(samples()), fitted()(samples()))
