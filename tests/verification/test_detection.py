import pytest

from pytest_potmodels.artifacts import Repository
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.verification import Detected, detect

KNOWN = frozenset({"bert", "t5", "gpt2"})


def repository(*, model_type: str = "", tags: tuple[str, ...] = ()) -> Repository:
    model_id = ModelId("huggingface", "org/x")
    return Repository(model_id, "org/x", "0" * 40, {}, model_type=model_type, tags=tags)


@pytest.mark.parametrize(
    ("name", "model_type"),
    [
        ("bert-base-uncased", "bert"),
        ("distilbert-base-uncased", "bert"),
        ("t5-small", "t5"),
        ("gpt2", "gpt"),
        ("google/vit-base-patch16-224", "vit"),
        ("org/vision-model", "vit"),
        ("org/clip-model", "clip"),
        ("openai/whisper-tiny", "whisper"),
        ("facebook/wav2vec2-base", "wav2vec2"),
        ("org/BERT-Large", "bert"),
    ],
)
def test_where_nothing_else_is_known_the_name_tells(name: str, model_type: str) -> None:
    assert detect(name) == Detected(model_type, "name")


def test_of_a_name_with_two_parts_the_first_of_the_table_counts() -> None:
    assert detect("openai/clip-vit-base-patch32").model_type == "vit"


def test_a_name_that_tells_nothing_is_said_to() -> None:
    assert detect("resnet-50") == Detected("", "none")


def test_a_revision_is_no_part_of_the_name() -> None:
    assert detect("org/x@bert") == Detected("", "none")


def test_the_hubs_tags_go_before_the_name() -> None:
    tagged = repository(tags=("transformers", "gpt2", "license:mit"))
    assert detect("bert-like", repository=tagged, known=KNOWN) == Detected("gpt2", "hub")


def test_two_types_among_the_tags_are_none() -> None:
    tagged = repository(tags=("bert", "t5"))
    assert detect("gpt-x", repository=tagged, known=KNOWN) == Detected("gpt", "name")


def test_config_json_goes_before_the_hubs_tags() -> None:
    tagged = repository(model_type="t5", tags=("bert",))
    assert detect("bert", repository=tagged, known=KNOWN) == Detected("t5", "config.json")
    on_disk = detect("bert", configured="whisper", repository=tagged, known=KNOWN)
    assert on_disk == Detected("whisper", "config.json")


def test_what_the_caller_says_goes_before_all() -> None:
    said = detect("bert", override="clip", configured="t5", repository=repository(model_type="vit"))
    assert said == Detected("clip", "override")
