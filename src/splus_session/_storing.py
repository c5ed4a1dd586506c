"""Writing a session's record, and what it means when that does not work: the same for every driver."""

import logging

from splus_session._credentials import Record
from splus_session._errors import StoreError
from splus_session.ports import Store

logger = logging.getLogger("splus_session")


def persist(store: Store, key: str, record: Record | None) -> StoreError | None:
    """Save the record, or delete what is stored (None). Blocks as long as the store does.

    Returns:
        The error, if a delete failed: somebody must be told that the record may remain [LOGOUT-1].
        A failed save is only logged: the session goes on unstored, so that an older record, of an
        older token or of somebody else, is deleted rather than resumed one day [RESUME-2].
    """
    error: StoreError
    try:
        if record is None:
            store.delete(key)
        else:
            store.save(key, record)
        return None
    except StoreError as known:
        error = known
    except Exception as unknown:
        error = StoreError(f"the store raised {type(unknown).__name__}; the record may remain")
    if record is None:
        logger.error("the stored session could not be deleted: %s", error)
        return error
    logger.error("the session goes on unstored: %s", error)
    persist(store, key, None)
    return None
