"""What environment variables say beside our own: CI services, Hugging Face's switches."""

from collections.abc import Mapping

from pytest_potmodels.settings import OFFLINE_VARIABLES

#: Variables that CI services set. JetBrains IDEs set TEAMCITY_VERSION on a desk, too.
CI_VARIABLES = (
    "CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "BUILDKITE", "CIRCLECI", "TRAVIS",
    "JENKINS_URL", "BITBUCKET_BUILD_NUMBER", "CODEBUILD_BUILD_ID", "DRONE", "TEAMCITY_VERSION",
)  # fmt: skip
#: Folders with LUT networks, as PATH has them: no setting of ours, because `lut.build_model` has
#: none of those either.
LUT_PATH = "POT_LUT_PATH"
_FALSE = frozenset({"", "0", "false", "no", "off"})


def detect_ci(environ: Mapping[str, str]) -> str:
    """The variable that says this is a CI service, or ""."""
    for name in CI_VARIABLES:
        on = environ.get(name, "").lower() not in _FALSE
        if on and not (name == "TEAMCITY_VERSION" and "PYCHARM_HOSTED" in environ):
            return name
    return ""


def offline_variable(environ: Mapping[str, str]) -> str:
    """Hugging Face's switch that is on, as `NAME=value`, or ""."""
    on = [name for name in OFFLINE_VARIABLES if environ.get(name, "").lower() not in _FALSE]
    return f"{on[0]}={environ[on[0]]}" if on else ""
