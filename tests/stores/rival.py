"""One of several processes that use one store at the same time. A script.

    python -m tests.stores.rival NAME

For each path on its standard input it does what a starting session does, and says in one line of
JSON what it got: the device id, what `load` found, and what it loads after saving.
"""

import json
import logging
import sys

from splus_session._errors import StoredRecordError
from splus_session.stores.sqlite import SqliteStore
from tests.stores.records import KEY, record

if __name__ == "__main__":
    name = sys.argv[1]
    logging.disable()  # of files kept aside, as it should be
    print("ready", flush=True)
    for line in sys.stdin:
        # A process that starts waits its turn, however slow the machine is today.
        store = SqliteStore(line.rstrip("\n"), timeout=60)
        device_id = store.device_id(lambda: f"device-of-{name}")
        try:
            found = repr(store.load(KEY))
        except StoredRecordError:
            found = "kept aside"
        for number in range(5):
            store.save(name, record(f"{name}-{number}"))
        saved = store.load(name) == record(f"{name}-4")
        print(json.dumps([device_id, found, saved]), flush=True)
