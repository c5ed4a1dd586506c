"""What all scenes share: the platform, the customer's backend, the journal and the stage."""

import attrs

from docs.examples.demo.journal import Journal
from docs.examples.demo.stage import Stage
from splus_session import Config
from splus_session.testing import FakePlatform, TokenTerms

CONFIG = Config(renewal_share=0.5, backoff=0.2)
"""Renewal is asked at half of a token's life instead of at 0.8, so that even on a slow machine there
is time for what a scene does between renewal and expiry; and retries begin after 0.2 s instead of 1."""


@attrs.frozen(kw_only=True)
class World:
    """The parties, and who watches them."""

    platform: FakePlatform
    platform_url: str
    backend_url: str
    journal: Journal
    stage: Stage

    def let_tokens_live(self, seconds: float) -> None:
        """From now on, the platform issues access tokens that live so long."""
        self.platform.rules.terms = TokenTerms(lifetime=seconds)
