"""The gap that a device refuses to have read over, found by halving. Pure.

In: the runs of a refused request (its points without the gaps between them), and a question that says whether a request
is answered. Out: the fewest pieces that the device answers. Knows no wire.

    refused  [a . b . c . d]    ask [a]            answered
                                ask [a . b]        answered
                                ask [a . b . c]    refused:  the gap before c
                                ask [c . d]        answered; two pieces instead of four

A run that is refused alone is missing in the device: it is a piece of its own, and spoils no other. The search asks
for each run once and for at most `SPARE_REQUESTS` more; what is left then is read without its gaps.
"""

from collections.abc import Awaitable, Callable, Sequence

from drivers.modbus.plan import Request

SPARE_REQUESTS = 16

IsAnswered = Callable[[Request], Awaitable[bool]]


async def pieces_of(runs: Sequence[Request], is_answered: IsAnswered) -> tuple[Request, ...]:
    """The pieces in order of address. Each of them was asked; one that was refused is a run that is missing.

    `runs` are of one function, ascending, and were refused as a whole. What the question raises ends the search.
    """
    pieces: list[Request] = []
    spare, refused_whole = SPARE_REQUESTS, True
    while runs:
        if not refused_whole and len(runs) > 1 and spare:
            spare -= 1
            if await is_answered(_joined(runs)):
                return (*pieces, _joined(runs))
        answered, refused = 1, len(runs)
        if await is_answered(runs[0]):
            while refused - answered > 1 and spare:
                spare -= 1
                middle = (answered + refused) // 2
                if await is_answered(_joined(runs[:middle])):
                    answered = middle
                else:
                    refused = middle
        pieces.append(_joined(runs[:answered]))
        runs, refused_whole = runs[answered:], False
    return tuple(pieces)


def _joined(runs: Sequence[Request]) -> Request:
    return Request(runs[0].function, runs[0].address, runs[-1].end - runs[0].address)
