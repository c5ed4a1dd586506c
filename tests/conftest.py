"""What all tests share: how Hypothesis searches.

`default` and `ci` search the same way each time, so that a red run is red again; `deep` searches
anew and longer: `make test ARGS="--hypothesis-profile=deep"`; `mutants` is content with any failure.
"""

import os

from hypothesis import HealthCheck, Phase, settings

# A deadline would measure the machine. The blob replays a failure found elsewhere.
settings.register_profile("default", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("ci", settings.get_profile("default"), max_examples=200)
settings.register_profile("deep", settings.get_profile("default"), derandomize=False, max_examples=5_000)
settings.register_profile(
    "mutants",
    settings.get_profile("default"),
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),  # they measure the machine too
)
settings.load_profile("ci" if os.environ.get("CI") else "default")
