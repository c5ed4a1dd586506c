# pyright: standard
# python-statemachine builds events and states in a metaclass, which strict pyright cannot follow.
"""The life cycle of a social.plus session, declared once.

**How to read it.** Each assignment is one event; its name is that of a class in `_events.py`.
Each line is one transition: from a state to a state, or staying `within` one. `cond` and `unless`
name guards and `on` names reactions, both defined in `_rules.py`; `after` names the client's
side-effect hooks. They are strings on purpose: symbols that every reader of the chart (the core,
the diagrams, the formal model, the tests) interprets in its own way. Rows of the same event and
source are tried from top to bottom, and the first whose guards hold is taken.

**What the states mean.** `NOT_LOGGED_IN`: nobody. `ESTABLISHING`: one login is in flight.
`ESTABLISHED`: a live credential is held. `TOKEN_EXPIRED`: the credential is dead, the identity is
kept, renewal is attempted. `TERMINATED`: the platform banned or deleted the user, and only logout
leads out. Renewals, verifications and revocations are in flight *within* a state: while a session
renews ahead of time it stays `ESTABLISHED` [RENEW-2], so they are no states of their own.

**Late answers.** Every attempt has a number from one sequence that never restarts. An answer to
one that is no longer current finds no row that moves the session; if it brings a token that nobody
will use, the row at the bottom of its event has that revoked [LOGIN-6].

**Requests and facts.** A request for which no row fits is refused; a fact is dropped, visibly.

**Time.** `token_expired`, `renewal_due`, `answer_overdue` and `revocation_due` are made by the
core itself when they are due; see `_core.upcoming`.

**Nothing here runs.** The chart is compiled into the table of `_lifecycle.py` (`make generate`),
and importing the library imports neither this module nor python-statemachine.
"""

from typing import Any

from statemachine import StateChart
from statemachine.states import States

from splus_session._states import SessionState


class SessionChart(StateChart[Any]):
    """What a social.plus session may do: all of it, and nothing else does anything."""

    # Run as it stands, by the tests' second opinion, it has the table's semantics:
    allow_event_without_transition = True  # an event without a row is dropped, not an error
    enable_self_transition_entries = False  # staying within a state enters nothing
    atomic_configuration_update = False  # as in 2.x: the state changes between `on` and `after`
    catch_errors_as_events = False  # a failing guard is an error, never a silent "no"

    at = States.from_enum(SessionState, initial=SessionState.NOT_LOGGED_IN)

    # ── Logging in ──────────────────────────────────────────────────────────────────────────────

    login = at.NOT_LOGGED_IN.to(at.ESTABLISHING, cond="has_auth_token_or_development", on="start_login")
    login_with_access_token = at.NOT_LOGGED_IN.to(
        at.ESTABLISHING, cond=["has_access_token_handler", "presents_live_token"], on="start_login"
    )
    login_as_visitor = at.NOT_LOGGED_IN.to(at.ESTABLISHING, on="start_login")
    login_as_bot = at.NOT_LOGGED_IN.to(at.ESTABLISHING, on="start_login")

    session_opened = (
        at.ESTABLISHING.to(
            at.ESTABLISHED,
            cond=["is_current_login", "is_acceptable"],
            on=["adopt_credential", "store_record"],
            after="run_on_login",
        )
        | at.ESTABLISHING.to(
            at.NOT_LOGGED_IN,
            cond=["is_current_login", "is_minted"],
            on=["fail_login", "revoke_orphan"],
        )
        | at.ESTABLISHING.to(at.NOT_LOGGED_IN, cond="is_current_login", on="fail_login")
        | at.NOT_LOGGED_IN.to.itself(internal=True, cond="is_minted", on="revoke_orphan")
        | at.ESTABLISHING.to.itself(internal=True, cond="is_minted", on="revoke_orphan")
        | at.ESTABLISHED.to.itself(internal=True, cond="is_minted", on="revoke_orphan")
        | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_minted", on="revoke_orphan")
        | at.TERMINATED.to.itself(internal=True, cond="is_minted", on="revoke_orphan")
    )
    login_failed = at.ESTABLISHING.to(at.NOT_LOGGED_IN, cond="is_current_login", on="fail_login")
    login_cancelled = (
        at.ESTABLISHING.to(at.NOT_LOGGED_IN, cond="is_current_login", on="fail_login")
        | at.ESTABLISHED.to(
            at.NOT_LOGGED_IN,
            cond="is_current_login",
            on=["disown_credential", "end_session", "forget_record"],
            after="run_on_logout",
        )
        | at.TOKEN_EXPIRED.to(
            at.NOT_LOGGED_IN,
            cond="is_current_login",
            on=["disown_credential", "end_session", "forget_record"],
            after="run_on_logout",
        )
    )

    resume = at.NOT_LOGGED_IN.to(
        at.ESTABLISHED, cond="record_is_live", on=["restore_session", "store_record"]
    ) | at.NOT_LOGGED_IN.to(
        at.TOKEN_EXPIRED, cond="record_is_renewable", on=["restore_session", "store_record"]
    )

    # ── Renewing ────────────────────────────────────────────────────────────────────────────────

    renewal_due = (
        at.ESTABLISHED.to.itself(internal=True, cond="has_grant_to_resend", on="resend_grant")
        | at.ESTABLISHED.to.itself(internal=True, cond="asks_handler", on="ask_handler")
        | at.ESTABLISHED.to.itself(internal=True, on="renew_unaided")
        | at.TOKEN_EXPIRED.to.itself(internal=True, cond="has_grant_to_resend", on="resend_grant")
        | at.TOKEN_EXPIRED.to.itself(internal=True, cond="asks_handler", on="ask_handler")
        | at.TOKEN_EXPIRED.to.itself(internal=True, on="renew_unaided")
    )
    renewal_answered = at.ESTABLISHED.to.itself(
        internal=True, cond="is_current_ask", on="send_renewal"
    ) | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_current_ask", on="send_renewal")
    renewal_unable = at.ESTABLISHED.to.itself(
        internal=True, cond="is_current_ask", on="pause_asking"
    ) | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_current_ask", on="pause_asking")
    answer_overdue = at.ESTABLISHED.to.itself(internal=True, on="pause_asking") | at.TOKEN_EXPIRED.to.itself(
        internal=True, on="pause_asking"
    )

    token_renewed = (
        at.ESTABLISHED.to.itself(
            internal=True,
            cond=["is_current_renewal", "is_acceptable"],
            on=["replace_credential", "store_record"],
            after="run_on_renewal",
        )
        | at.TOKEN_EXPIRED.to(
            at.ESTABLISHED,
            cond=["is_current_renewal", "is_acceptable"],
            on=["replace_credential", "store_record"],
            after="run_on_renewal",
        )
        | at.ESTABLISHED.to.itself(
            internal=True,
            cond=["is_current_renewal", "is_minted"],
            on=["pause_asking", "revoke_orphan"],
        )
        | at.TOKEN_EXPIRED.to.itself(
            internal=True,
            cond=["is_current_renewal", "is_minted"],
            on=["pause_asking", "revoke_orphan"],
        )
        | at.ESTABLISHED.to.itself(internal=True, cond="is_current_renewal", on="pause_asking")
        | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_current_renewal", on="pause_asking")
        | at.NOT_LOGGED_IN.to.itself(internal=True, cond="is_minted", on="revoke_orphan")
        | at.ESTABLISHING.to.itself(internal=True, cond="is_minted", on="revoke_orphan")
        | at.ESTABLISHED.to.itself(internal=True, cond="is_minted", on="revoke_orphan")
        | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_minted", on="revoke_orphan")
        | at.TERMINATED.to.itself(internal=True, cond="is_minted", on="revoke_orphan")
    )
    renewal_failed = (
        at.ESTABLISHED.to.itself(internal=True, cond=["is_current_renewal", "is_retryable"], on="back_off")
        | at.ESTABLISHED.to.itself(internal=True, cond="is_current_renewal", on="pause_asking")
        | at.TOKEN_EXPIRED.to.itself(
            internal=True, cond=["is_current_renewal", "is_retryable"], on="back_off"
        )
        | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_current_renewal", on="pause_asking")
    )
    renew_now = at.ESTABLISHED.to.itself(
        internal=True, cond="is_renewable", unless="is_revoking", on="end_pause"
    ) | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_renewable", unless="is_revoking", on="end_pause")
    handlers_changed = (
        at.NOT_LOGGED_IN.to.itself(internal=True, on="note_handlers")
        | at.ESTABLISHING.to.itself(internal=True, on="note_handlers")
        | at.ESTABLISHED.to.itself(internal=True, on="note_handlers")
        | at.TOKEN_EXPIRED.to.itself(internal=True, on="note_handlers")
        | at.TERMINATED.to.itself(internal=True, on="note_handlers")
    )
    token_orphaned = (
        at.NOT_LOGGED_IN.to.itself(internal=True, on="revoke_orphan")
        | at.ESTABLISHING.to.itself(internal=True, on="revoke_orphan")
        | at.ESTABLISHED.to.itself(internal=True, unless="is_in_use", on="revoke_orphan")
        | at.TOKEN_EXPIRED.to.itself(internal=True, unless="is_in_use", on="revoke_orphan")
        | at.TERMINATED.to.itself(internal=True, on="revoke_orphan")
    )

    # ── Expiry and rejection ────────────────────────────────────────────────────────────────────

    token_expired = at.ESTABLISHED.to(at.TOKEN_EXPIRED, on=["end_verification", "store_record"])
    token_rejected = at.ESTABLISHED.to.itself(
        internal=True, cond="is_current_credential", unless="is_busy", on="start_verification"
    )
    token_confirmed = (
        at.ESTABLISHED.to.itself(internal=True, cond="is_current_verification", on="end_verification")
        | at.ESTABLISHED.to.itself(internal=True, cond="is_revocation_check", on="abandon_revocation")
        | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_revocation_check", on="abandon_revocation")
    )
    token_refuted = (
        at.ESTABLISHED.to(
            at.TOKEN_EXPIRED,
            cond="is_current_verification",
            on=["end_verification", "store_record"],
        )
        | at.ESTABLISHED.to(
            at.NOT_LOGGED_IN,
            cond="is_revocation_check",
            on=["end_session", "forget_record"],
            after="run_on_logout",
        )
        | at.TOKEN_EXPIRED.to(
            at.NOT_LOGGED_IN,
            cond="is_revocation_check",
            on=["end_session", "forget_record"],
            after="run_on_logout",
        )
    )
    verification_failed = (
        at.ESTABLISHED.to.itself(internal=True, cond="is_current_verification", on="end_verification")
        | at.ESTABLISHED.to.itself(internal=True, cond="is_revocation_check", on="abandon_revocation")
        | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_revocation_check", on="abandon_revocation")
    )

    # ── Ban and deletion ────────────────────────────────────────────────────────────────────────

    user_banned = (
        at.ESTABLISHING.to(at.NOT_LOGGED_IN, cond="concerns_this_session", on="fail_login")
        | at.ESTABLISHED.to(
            at.TERMINATED,
            cond="concerns_this_session",
            on=["end_session", "forget_record"],
            after="run_on_ban",
        )
        | at.TOKEN_EXPIRED.to(
            at.TERMINATED,
            cond="concerns_this_session",
            on=["end_session", "forget_record"],
            after="run_on_ban",
        )
    )
    user_deleted = (
        at.ESTABLISHING.to(at.NOT_LOGGED_IN, cond="concerns_this_session", on="fail_login")
        | at.ESTABLISHED.to(
            at.TERMINATED,
            cond="concerns_this_session",
            on=["end_session", "forget_record"],
            after="run_on_ban",
        )
        | at.TOKEN_EXPIRED.to(
            at.TERMINATED,
            cond="concerns_this_session",
            on=["end_session", "forget_record"],
            after="run_on_ban",
        )
    )

    # ── Logging out ─────────────────────────────────────────────────────────────────────────────

    logout = (
        at.NOT_LOGGED_IN.to.itself(internal=True, on="forget_record")
        | at.ESTABLISHING.to(at.NOT_LOGGED_IN, on=["fail_login", "forget_record"])
        | at.ESTABLISHED.to(at.NOT_LOGGED_IN, on=["end_session", "forget_record"], after="run_on_logout")
        | at.TOKEN_EXPIRED.to(at.NOT_LOGGED_IN, on=["end_session", "forget_record"], after="run_on_logout")
        | at.TERMINATED.to(at.NOT_LOGGED_IN, on=["end_session", "forget_record"], after="run_on_logout")
    )
    secure_logout = (
        at.NOT_LOGGED_IN.to.itself(internal=True, on="forget_record")
        | at.ESTABLISHED.to.itself(internal=True, unless="is_revoking", on="start_revocation")
        | at.ESTABLISHED.to.itself(internal=True)  # a second call joins the first
        | at.TOKEN_EXPIRED.to.itself(internal=True, unless="is_revoking", on="start_revocation")
        | at.TOKEN_EXPIRED.to.itself(internal=True)
        | at.TERMINATED.to(at.NOT_LOGGED_IN, on=["end_session", "forget_record"], after="run_on_logout")
    )
    revocation_due = (
        at.ESTABLISHED.to.itself(internal=True, cond="is_renewing", on="abandon_revocation")
        | at.ESTABLISHED.to.itself(internal=True, on="send_revocation")
        | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_renewing", on="abandon_revocation")
        | at.TOKEN_EXPIRED.to.itself(internal=True, on="send_revocation")
    )
    token_revoked = at.ESTABLISHED.to(
        at.NOT_LOGGED_IN,
        cond="is_current_revocation",
        on=["end_session", "forget_record"],
        after="run_on_logout",
    ) | at.TOKEN_EXPIRED.to(
        at.NOT_LOGGED_IN,
        cond="is_current_revocation",
        on=["end_session", "forget_record"],
        after="run_on_logout",
    )
    revocation_doubted = at.ESTABLISHED.to.itself(
        internal=True, cond="is_current_revocation", on="check_revocation"
    ) | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_current_revocation", on="check_revocation")
    revocation_failed = at.ESTABLISHED.to.itself(
        internal=True, cond="is_current_revocation", on="abandon_revocation"
    ) | at.TOKEN_EXPIRED.to.itself(internal=True, cond="is_current_revocation", on="abandon_revocation")
