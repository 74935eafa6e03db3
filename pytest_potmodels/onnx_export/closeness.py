"""`assert_onnx_close`: does the ONNX form of a model answer as the model does?"""

from typing import Any

from pytest_potmodels import extras

_TRAINING = "\n  the model is in training mode, in which dropout acts: call eval() on it first"


def assert_onnx_close(
    torch_model: Any, onnx_model: Any, inputs: Any, *, rtol: float | None = None
) -> None:
    """Compare all outputs of a model and of its ONNX form for the same inputs.

    An output is close where its largest error is at most `rtol` of the model's largest value:
    what counts is neither an element near zero nor the scale of the numbers.

    Args:
        torch_model: a LoadedModel, or a torch module.
        onnx_model: a LoadedModel, or an `onnxruntime.InferenceSession`.
        inputs: names -> tensors or arrays, as a tokenizer gives them; or one or several by
            position.
        rtol: None: what the export was held to, else 1e-4.

    Raises:
        AssertionError: an output is further away, or of another shape or type; says which and
            where.
        UsageError: inputs that the ONNX form does not take.
        MissingPackageError: PyTorch or ONNX Runtime is not installed.
    """
    __tracebackhide__ = True
    for package in ("torch", "onnxruntime"):
        extras.require(package)
    # Here, because the name is public, and to ask for all of those takes no framework.
    from pytest_potmodels.onnx_export import differences  # noqa: PLC0415

    limit = differences.limit_of(onnx_model) if rtol is None else rtol
    compared = differences.differences(torch_model, onnx_model, inputs, limit)
    wrong = [each for each in compared if not each.close]
    if wrong:
        lines = "\n".join(f"  {each.name}: {each.said}" for each in compared)
        hint = _TRAINING if differences.is_training(torch_model) else ""
        raise AssertionError(
            f"{len(wrong)} of {len(compared)} outputs differ from the model's by more than "
            f"{limit:g} of its largest value:\n{lines}{hint}"
        )
