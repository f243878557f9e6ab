"""The one exception that commands turn into `error: …` and exit status 2."""


class SpoofwebError(Exception):
    """Bad input or a bad environment; the message says what, where and what to do."""
