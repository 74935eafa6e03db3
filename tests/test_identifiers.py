import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.identifiers import (
    DEFAULT_REVISIONS,
    SOURCE_ALIASES,
    SOURCES,
    ModelId,
    checked,
    parse,
    split_revision,
)

WORD = string.ascii_letters + string.digits
HUB_PART = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
REVISION = st.none() | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_/+-]{0,40}", fullmatch=True)
PATH = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=40
).filter(lambda text: text == text.strip())
IDS = (
    st.builds(ModelId, st.just("huggingface"), HUB_PART, REVISION)
    | st.builds(
        ModelId,
        st.just("huggingface"),
        st.tuples(HUB_PART, HUB_PART).map("/".join),
        REVISION,
    )
    | st.builds(
        ModelId,
        st.just("torchvision"),
        st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True),
        REVISION,
    )
    | st.builds(
        ModelId,
        st.just("package"),
        st.from_regex(r"[A-Za-z_]\w{0,9}(/[\w@+-]{1,9}){0,3}", fullmatch=True),
    )
    | st.builds(
        ModelId,
        st.just("pytorch_hub"),
        st.from_regex(
            r"[A-Za-z0-9][A-Za-z0-9-]{0,9}/[A-Za-z0-9_][\w.-]{0,9}/[A-Za-z_][A-Za-z0-9_]{0,9}",
            fullmatch=True,
        ).filter(str.isascii),
        REVISION,
    )
    | st.builds(
        ModelId,
        st.just("url"),
        st.from_regex(
            r"https?://[a-z0-9.-]{1,9}(:[1-9][0-9]{1,3})?/[\w%+@-]{1,20}", fullmatch=True
        ),
    )
    | st.builds(ModelId, st.just("file"), PATH)
    | st.builds(ModelId, st.just("mock"), st.sampled_from(["vision", "language", "lut"]))
    | st.builds(
        ModelId, st.just("lut"), st.from_regex(r"(\w{1,9}/)?\w[\w.-]{0,20}", fullmatch=True)
    )
)


@given(IDS)
def test_what_is_written_is_parsed(model_id: ModelId) -> None:
    assert parse(str(model_id)) == model_id


@given(IDS)
def test_space_around_a_name_does_not_count(model_id: ModelId) -> None:
    assert parse(f"  {model_id}\n") == model_id


@given(st.text())
def test_any_text_is_an_id_or_none_or_a_usage_error(text: str) -> None:
    try:
        model_id = parse(text)
    except UsageError:
        return
    assert model_id is None or checked(model_id) == model_id


@given(st.text(alphabet=WORD + "-_/."))
def test_a_name_without_a_source_is_left_to_the_catalog(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(("alias", "source"), sorted(SOURCE_ALIASES.items()))
def test_short_names_of_sources_are_known(alias: str, source: str) -> None:
    assert parse(f"{alias.upper()}:gpt2") == ModelId(source, "gpt2")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("huggingfaec:gpt2", "huggingface"),
        ("torchvison:resnet18", "torchvision"),
        ("pacakge:x", "package"),
    ],
)
def test_a_misspelt_source_has_close_matches(text: str, match: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse(text)
    assert caught.value.matches[0] == match


def test_a_path_with_a_colon_is_no_unknown_source() -> None:
    with pytest.raises(UsageError, match="is no model name") as caught:
        parse("C:\\models\\bert")
    assert "file:PATH" in caught.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "huggingface:",
        "huggingface:@main",
        "huggingface:org/",
        "huggingface:/model",
        "huggingface:a/b/c",
        "huggingface:../etc",
        "huggingface:org/..",
        "huggingface:.hidden/model",
        "huggingface:-x/model",
        "huggingface:org/model name",
        "huggingface:org/model@",
        "huggingface:org/model@a@b",
        "huggingface:org/model@../main",
        "huggingface:org/model@a..b",
        "huggingface:org/model@-x",
        "huggingface:org/model@a b",
        "torchvision:ResNet18",
        "torchvision:resnet18/x",
        "torchvision:resnet-18",
        "package:pkg/../../etc",
        "package:/etc",
        "package:pkg/",
        "package:1pkg",
        "url:",
        "url:model.pt",
        "url:file:///x",
        "url:https://me:pass@host/x",
        "url:https://host/x?Signature=a",
        "url:https://host/x#sha256=a",
        "url:https://HOST/x",
        "https://host/../x",
        "file:",
        "file:a\nb",
        "lut:",
        "lut:a/b/c",
        "lut:../digits_small",
        "lut:/digits_small",
        "lut:digits_small@v2",
        "lut:digits small",
        "mock:Vision",
        "mock:",
    ],
)
def test_a_malformed_name_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("pytorch/vision/resnet50", ModelId("pytorch_hub", "pytorch/vision/resnet50")),
        ("a/b:v0.10.0/net", ModelId("pytorch_hub", "a/b/net", "v0.10.0")),
        ("a/b/net@v0.10.0", ModelId("pytorch_hub", "a/b/net", "v0.10.0")),
        ("a/b:feature/x/net", ModelId("pytorch_hub", "a/b/net", "feature/x")),
        ("a/b/net@feature/x", ModelId("pytorch_hub", "a/b/net", "feature/x")),
        ("a/b.py:refs/tags/v1/net", ModelId("pytorch_hub", "a/b.py/net", "refs/tags/v1")),
    ],
)  # fmt: skip
def test_an_entry_point_may_be_written_as_torch_hub_writes_it(text: str, means: ModelId) -> None:
    assert parse(f"pytorch_hub:{text}") == means


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a/b", "a/b/c/d", "a/b/", "a//c", "/b/c", "-a/b/c", "a/../c", "a/./c"),
        *("a/b/1c", "a/b/c-d", "a/b/c.d", "a_b/c/d", "a/b c/d", "a/b:/c", "a/b:v1/", "a/b:v1"),
        *("a/b:v1/c@v2", "a/b/c@", "a/b/c@..", "a/b:-x/c", "a/b:x..y/c", "a/b\u00e9/c", "a:v/b/c"),
    ],
)
def test_what_names_no_entry_point_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse(f"pytorch_hub:{text}")


def test_an_at_sign_belongs_to_a_path() -> None:
    assert parse("file:/models/a@b") == ModelId("file", "/models/a@b")
    assert parse("package:pkg/a@b") == ModelId("package", "pkg/a@b")


def test_a_path_may_climb_because_it_is_the_users_own() -> None:
    assert parse("file:../models/a") == ModelId("file", "../models/a")


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a", ("a", None)), ("a@b", ("a", "b")), ("a@b/c", ("a", "b/c")), ("a@b@c", ("a", "b@c"))],
)
def test_a_revision_begins_at_the_first_at_sign(text: str, parts: tuple[str, str | None]) -> None:
    assert split_revision(text) == parts


def test_ids_have_an_order() -> None:
    names = [ModelId("huggingface", name) for name in "cab"]
    assert [model.name for model in sorted(names)] == ["a", "b", "c"]


def test_default_revisions_are_of_known_sources() -> None:
    assert set(DEFAULT_REVISIONS) < set(SOURCES)
    for source, revision in DEFAULT_REVISIONS.items():
        name = "owner/repository/entry" if source == "pytorch_hub" else "x"
        assert checked(ModelId(source, name, revision))
