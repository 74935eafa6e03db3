"""Does a command say what the page shows? Times may differ, and `...` stands for anything.

Pages show paths with `/`, as most readers' systems do.
"""

import re

_TIMES = re.compile(r"\b\d+\.\d+ ?s\b")
_CLOCK = re.compile(r"\b\d\d:\d\d:\d\d\b")
_RULES = re.compile(r"={2,}")


def differences(shown: str, said: str) -> str:
    """What is wrong, for a person; "" where the output contains what is shown."""
    if not shown.strip():
        return ""
    pattern = ".*?".join(re.escape(part) for part in _normal(shown).split("..."))
    if re.search(pattern, _normal(said), re.DOTALL):
        return ""
    return f"---- the page shows\n{shown}\n---- the command says\n{said}"


def _normal(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.replace("\\", "/").strip().splitlines())
    whole = "\n".join(line for line in lines if line)
    return _RULES.sub("==", _CLOCK.sub("00:00:00", _TIMES.sub("0 s", whole)))
