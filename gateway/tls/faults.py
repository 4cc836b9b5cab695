"""The one error of this package.

In: raised where names, files or certificates are not what they have to be. Out: a sentence for the operator.
"""


class TlsError(Exception):
    """Says what was found and what to do about it; never holds a key."""
