"""Which of a link's two addresses is asked: the first one, or the hot standby. Pure.

In: which path answered or failed, the monotonic time. Out: the path to ask now. Knows no connection.

    FIRST  --`switch_after` failures in a row-->  STANDBY  --the first path answers a probe-->  FIRST
                                                     `--`switch_after` failures in a row-->  FIRST (and so on)

On the standby the first path is tried once every `probe_s`; a probe that fails costs its timeout and no poll, because
the standby is asked at once. A path "answers" when anything sound came over it, an exception reply too.
"""

FIRST = 0
STANDBY = 1


class PathChoice:
    """Counts failures and chooses between two paths."""

    def __init__(self, switch_after: int, probe_s: float) -> None:
        self._switch_after = switch_after
        self._probe_ns = int(probe_s * 1e9)
        self._failures = 0
        self._probe_due_ns = 0
        self.active = FIRST
        self.switches = 0

    def takes_probe(self, now_ns: int) -> bool:
        """Whether the caller is to try the first path before the standby. Says so once, then not for `probe_s`."""
        if self.active == FIRST or now_ns < self._probe_due_ns:
            return False
        self._probe_due_ns = now_ns + self._probe_ns
        return True

    def answered(self, path: int, now_ns: int) -> bool:
        """A path works. True when this is the return from the standby to the first path."""
        if path == self.active:
            self._failures = 0
        if path in (self.active, STANDBY):  # a straggler from before the return
            return False
        self._switch(path, now_ns)
        return True

    def failed(self, path: int, now_ns: int) -> bool:
        """A path was silent, or could not be opened. True when the other one is active from now on."""
        if path != self.active:
            return False
        self._failures += 1
        if self._failures < self._switch_after:
            return False
        self._switch(STANDBY if self.active == FIRST else FIRST, now_ns)
        return True

    def _switch(self, path: int, now_ns: int) -> None:
        self.active = path
        self.switches += 1
        self._failures = 0
        self._probe_due_ns = now_ns + self._probe_ns
