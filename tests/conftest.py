"""What holds for every test: Hypothesis counts no time. How long an example takes says how busy the machine is."""

import importlib.util

if importlib.util.find_spec("hypothesis"):  # it is not where the training is tested
    from hypothesis import settings

    settings.register_profile("any-machine", deadline=None)
    settings.load_profile("any-machine")
