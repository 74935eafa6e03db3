"""Where the hub's token is kept: HF_TOKEN, or the file that `hf auth login` writes."""


def stored_token() -> str | None:
    """The token, if there is one; asked for only when the hub is about to be asked."""
    from huggingface_hub import get_token  # noqa: PLC0415  a run on cached models needs no hub

    return get_token()
