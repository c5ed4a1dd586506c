"""The small client, and as right, though it does what requirements leave open another way: it learns from
every answer what the platform's clock shows, and not only from those that it waits for.
"""

from collections.abc import Callable
from typing import Any

from adapter import play
from client import Client
from wire import Answer, Grant, Platform, Reply


class _Teaching(Platform):
    teach: Callable[[Answer], None]

    def read(self, call: str, reply: Reply, grant: Grant | None) -> Answer:
        answer = super().read(call, reply, grant)
        self.teach(answer)
        return answer


class EveryAnswer(Client):
    platform_class = _Teaching
    platform: _Teaching

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.platform.teach = self.learn


if __name__ == "__main__":
    play(EveryAnswer)
