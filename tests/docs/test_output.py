"""The comparison of pages with output must be able to fail."""

import pytest
from docs.output import differences

SAID = "===== models =====\nreal   bert  1 test, 0.1 MB, loaded in 0.89 s\n1 test with models\n"


@pytest.mark.parametrize(
    "shown",
    [
        "...\nreal  bert  1 test, ...\n1 test with models\n",
        "==== models ====\n...\n1 test with models",
        "real  bert  1 test, 0.1 MB, loaded in 0.04 s",
        "",
    ],
)
def test_what_is_said_may_differ_in_times_rules_and_what_dots_stand_for(shown: str) -> None:
    assert differences(shown, SAID) == ""


@pytest.mark.parametrize(
    "shown",
    [
        "...\nmock  bert  1 test, ...",
        "real  bert  2 tests, ...",
        "1 test with models\n...\nreal  bert",
        "real  bert  1 test, 0.2 MB, ...",
    ],
)
def test_another_word_figure_or_order_is_a_difference(shown: str) -> None:
    assert "the page shows" in differences(shown, SAID)
