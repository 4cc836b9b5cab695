"""What can be wrong with a model or a picture, said so that a person can mend it."""


class ModelError(ValueError):
    """A model that cannot be used: entry, file, digest, inputs or outputs. The text names the file, what was found and
    what was expected."""


class PictureError(ValueError):
    """A picture that cannot be judged. `source` is the camera or the file."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason
