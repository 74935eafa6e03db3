"""The user's own Hugging Face token, found as the hub's client finds it."""


def hub_token() -> str | None:
    """The token of HF_TOKEN, of `hf auth login`, or of a CI provider; None if there is none."""
    # At the first request to a hub only: who fetches from elsewhere does not pay for the import.
    from huggingface_hub import constants, get_token  # noqa: PLC0415

    return None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
