"""Records to store, in all their variety."""

from hypothesis import strategies as st

from splus_session._credentials import MAX_TIME, Credential, Record, SessionKind
from splus_session._secrets import AccessToken


def records() -> st.SearchStrategy[Record]:
    """Every record that a session may ask a store to keep."""
    times = st.floats(-MAX_TIME, MAX_TIME) | st.integers(-int(MAX_TIME), int(MAX_TIME))
    spans = st.tuples(times, times).map(lambda two: (min(two), max(two)))
    credentials = st.builds(
        lambda token, user_id, span, expires: Credential(
            AccessToken(token), user_id, span[0], span[1] if expires else None
        ),
        st.text(min_size=1, max_size=40) | st.text(min_size=1, max_size=9).map(lambda text: text * 1_800),
        st.text(min_size=1, max_size=60),
        spans,
        st.booleans(),
    )
    return st.builds(Record, st.sampled_from(SessionKind), credentials, st.booleans(), times)
