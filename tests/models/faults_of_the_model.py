"""Faults of the model, each with the property that TLC has to find broken because of it.

A property that no fault breaks says nothing. Each fault is one slip in the rules, in the table or in the
world around the session: a guard that looks at the wrong thing, a command that is forgotten, a row that
leads elsewhere. It is planted in a copy of the modules, and TLC looks for that one property alone.
"""

import re
from pathlib import Path
from typing import NamedTuple

from models.tlc import modules
from models.tlc.checker import QUICK, ModelError, Run
from splus_session.explore import Slice, slices


def change(folder: Path, module: str, right: str, wrong: str) -> None:
    """Have a module in a folder say something else.

    Raises:
        ValueError: it does not say what is to be changed, or says it twice.
    """
    path = folder / f"{module}.tla"
    text = path.read_text("utf-8")
    if text.count(right) != 1:
        raise ValueError(f"{module} says {text.count(right)} times: {right}")
    path.write_text(text.replace(right, wrong), "utf-8")


class Fault(NamedTuple):
    """A fault, what it is planted in, and where it shows."""

    name: str
    seen_by: str
    """The property, by its name in the model."""
    slice: Slice
    """The smallest in which it shows."""
    module: str
    right: str
    """What the module says, once and no more."""
    wrong: str

    def plant(self, folder: Path) -> None:
        """Write down the modules with the fault in one of them, and what TLC is to check.

        Raises:
            ValueError: the module does not say what the fault changes, or says it twice.
        """
        modules.write_modules(folder, self.slice)
        change(folder, self.module, self.right, self.wrong)
        names = [[self.seen_by] if self.seen_by in those else [] for those in modules.properties()]
        configuration = modules.configuration(self.slice, *names, prints_edges=False)
        (folder / "slice.cfg").write_text(configuration, "utf-8")

    def broken(self, folder: Path) -> str | None:
        """The name of what TLC finds broken in such a folder.

        Raises:
            ModelError: TLC found something else to object to.
        """
        try:
            list(Run(folder, modules.module_name(self.slice), "slice.cfg", QUICK))
        except ModelError as error:
            found = re.search(
                r"^Error: (?:Invariant|Action property) (\w+) is violated", str(error), re.MULTILINE
            )
            if found is None:
                raise
            return found[1]
        return None


FAULTS = [
    # ── Of every world ──────────────────────────────────────────────────────────────────────────────
    Fault(
        "a token is kept after the end",
        "ACredentialIsHeldExactlyWhileEstablishedOrExpired",
        slices.REPEATS,
        "Rules",
        "!.s.cred = 0, !.s.token = None, !.s.exp",
        "!.s.cred = 0, !.s.exp",
    ),
    Fault(
        "a renewal and a pause are kept after the end",
        "NothingOfAUserIsLeftOutsideASession",
        slices.REPEATS,
        "Rules",
        "!.s.renewal = None, !.s.retry = None, !.s.check",
        "!.s.check",
    ),
    Fault(
        "nobody looks whose access token it is",
        "TheSessionIsOfOneUserAndOneKind",
        slices.ACCESS_TOKEN,
        "Rules",
        '      [] grant[1] = "access" -> grant[3]\n',
        "",
    ),
    Fault(
        "a login is no session's",
        "ALoginIsAloneInFlight",
        slices.REPEATS,
        "Rules",
        "!.s.session = n, !.s.kind = e.kind",
        "!.s.kind = e.kind",
    ),
    Fault(
        "a verification outlives the expiry",
        "OnlyAnEstablishedSessionVerifies",
        slices.REJECTION,
        "Table",
        'end_verification(Draft(s, "tokenExpired"), e), e), TRUE, "tokenExpired"',
        'Draft(s, "tokenExpired"), e), TRUE, "tokenExpired"',
    ),
    Fault(
        "a deletion leaves no reason",
        "ASessionHasAnEndingExactlyWhenTerminated",
        slices.BAN,
        "Rules",
        '[] e.name = "user_deleted" -> "userDeleted"\n',
        "\n",
    ),
    Fault(
        "a renewal leaves the verification of the old token in flight",
        "NumbersRiseInTheOrderInWhichAttemptsMayStart",
        slices.REJECTION,
        "Rules",
        "Use(EndCheck(d), e.cred, e.n)",
        "Use(d, e.cred, e.n)",
    ),
    Fault(
        "a resumed token has the number before its own",
        "ASessionBeganBeforeItsCredentialCame",
        slices.STORAGE,
        "Rules",
        "!.s.user = record[3]], cred, n)",
        "!.s.user = record[3]], cred, d.s.attempt)",
    ),
    Fault(
        "a renewal is planned besides the one in flight",
        "ARenewalIsInFlightOrComesLaterButNotBoth",
        slices.RENEWAL,
        "Rules",
        "    IF d.s.renewal # None THEN d\n    ELSE IF d.s.retry = None",
        "    IF d.s.retry = None",
    ),
    Fault(
        "the handler's deadline goes on after its answer",
        "AHandlerHasADeadlineExactlyWhileItIsAsked",
        slices.REPEATS,
        "Rules",
        "Renewal(e.n, Never, e.grant, 0)",
        "Renewal(e.n, @.left, e.grant, 0)",
    ),
    Fault(
        "a handler has as long as a pause lasts",
        "AHandlerNeverHasLongerThanTheDeadline",
        slices.REPEATS,
        "Rules",
        "Renewal(n, Answer, None, 0)",
        "Renewal(n, Pause, None, 0)",
    ),
    Fault(
        "a pause is taken for one in whole ticks",
        "NoPauseIsLongerThanTheLongest",
        slices.REPEATS,
        "Rules",
        "TryLater(d, Pause, FailureOf(d, e), None, 0)",
        "TryLater(d, 2 * Pause, FailureOf(d, e), None, 0)",
    ),
    Fault(
        "a pause that is ended lasts on",
        "ARenewalThatSomebodyAskedForIsDueAtOnce",
        slices.RENEWAL,
        "Rules",
        'Retry(0, "", d.s.retry.grant, d.s.retry.age)',
        'Retry(d.s.retry.left, "", d.s.retry.grant, d.s.retry.age)',
    ),
    Fault(
        "what is presented gets younger",
        "NothingWasObtainedInTheFuture",
        slices.REPEATS,
        "Session",
        "Min(Young, age + time)",
        "Min(Young, age - time)",
    ),
    Fault(
        "a renewal is planned at expiry",
        "RenewalIsPlannedEarlyByTheJitterAndNeverLate",
        slices.REPEATS,
        "Rules",
        "THEN Never ELSE cred.left - Life \\div 2",
        "THEN Never ELSE cred.left",
    ),
    Fault(
        "a secure logout lets the handler be asked on",
        "ASecureLogoutWaitsForARenewalThatWasSentAndNoOther",
        slices.SECURE_LOGOUT,
        "Rules",
        'IF d.s.renewal # None /\\ d.s.renewal.grant = None THEN EndRenewal(new, "superseded") ELSE new',
        "new",
    ),
    Fault(
        "a secure logout waits as long as a pause lasts",
        "ASecureLogoutNeverWaitsLongerThanTheLimit",
        slices.SECURE_LOGOUT,
        "Rules",
        "Revocation(n, Wait, 0)",
        "Revocation(n, Pause, 0)",
    ),
    Fault(
        "a revocation that is checked waits to be sent again",
        "OnlyARevocationThatWasSentIsChecked",
        slices.SECURE_LOGOUT,
        "Rules",
        "Revocation(@.n, Never, n)",
        "Revocation(@.n, Wait, n)",
    ),
    Fault(
        "a header is granted for an expired token",
        "AHeaderIsGrantedForALiveTokenOfThisSessionAlone",
        slices.REPEATS,
        "Rules",
        'CASE s.state = "established" -> <<"granted", s.cred>>',
        'CASE s.state \\in Live -> <<"granted", s.cred>>',
    ),
    # ── States ──────────────────────────────────────────────────────────────────────────────────────
    Fault(
        "a ban terminates a session that there is not yet",
        "StatesChangeAlongTheDocumentedArrowsOnly",
        slices.BAN,
        "Table",
        'fail_login(Draft(s, "notLoggedIn"), e), TRUE, "globalBan"',
        'fail_login(Draft(s, "terminated"), e), TRUE, "globalBan"',
    ),
    Fault(
        "a banned user logs in anew",
        "TerminatedIsLeftByLogoutAlone",
        slices.REJECTION,
        "Table",
        'IF s.state = "notLoggedIn" /\\ has_auth_token_or_development(s, e)',
        'IF s.state \\in {"notLoggedIn", "terminated"} /\\ has_auth_token_or_development(s, e)',
    ),
    Fault(
        "somebody else's ban terminates",
        "OnlyABanOrDeletionOfThisUserTerminates",
        slices.REJECTION,
        "Rules",
        '(e.n = Never \\/ e.n >= s.session) /\\ e.user \\in {"", s.user}',
        "(e.n = Never \\/ e.n >= s.session)",
    ),
    Fault(
        "a ban that is heard over the login itself is taken for an earlier one",
        "ABanOfThisUserIsNeverLost",
        slices.REJECTION,
        "Rules",
        "e.n >= s.session",
        "e.n > s.session",
    ),
    Fault(
        "a ban that is heard over an earlier session is taken for one of this",
        "ABanOfSomebodyElseOrOfAnEarlierSessionIsDropped",
        slices.REJECTION,
        "Rules",
        '(e.n = Never \\/ e.n >= s.session) /\\ e.user \\in {"", s.user}',
        'e.user \\in {"", s.user}',
    ),
    Fault(
        "a login under way cannot be logged out",
        "LogoutWorksFromEverywhere",
        slices.REPEATS,
        "Table",
        (
            'ELSE IF s.state = "establishing"\n'
            '    THEN Done(s, forget_record(fail_login(Draft(s, "notLoggedIn"), e), e), TRUE, "logout", <<>>)\n    '
        ),
        "",
    ),
    Fault(
        "a revocation that failed logs out",
        "ASessionIsLoggedOutByLogoutAProvenRevocationOrItsLoginUndoneAlone",
        slices.SECURE_LOGOUT,
        "Table",
        (
            'revocation_failed(s, e) ==\n    IF s.state = "established" /\\ is_current_revocation(s, e)\n'
            '    THEN Done(s, abandon_revocation(Draft(s, "established"), e), FALSE, "", <<>>)'
        ),
        (
            'revocation_failed(s, e) ==\n    IF s.state = "established" /\\ is_current_revocation(s, e)\n'
            '    THEN Done(s, forget_record(end_session(Draft(s, "notLoggedIn"), e), e), TRUE, "secureLogout", <<"on_logout">>)'
        ),
    ),
    Fault(
        "a verification that failed expires the token",
        "ATokenIsExpiredByTimeOrByAVerificationAlone",
        slices.REJECTION,
        "Table",
        (
            'verification_failed(s, e) ==\n    IF s.state = "established" /\\ is_current_verification(s, e)\n'
            '    THEN Done(s, end_verification(Draft(s, "established"), e), FALSE, "", <<>>)'
        ),
        (
            'verification_failed(s, e) ==\n    IF s.state = "established" /\\ is_current_verification(s, e)\n'
            '    THEN Done(s, end_verification(Draft(s, "tokenExpired"), e), TRUE, "tokenRejected", <<>>)'
        ),
    ),
    Fault(
        "a pause is forgotten at expiry",
        "ExpiryLetsARenewalGoOnAndAPauseLast",
        slices.REPEATS,
        "Rules",
        "end_verification(d, e) == EndCheck(d)",
        "end_verification(d, e) == [EndCheck(d) EXCEPT !.s.retry = None]",
    ),
    Fault(
        "a token that is dead on arrival is accepted",
        "ExpiryIsUndoneByARenewalAlone",
        slices.ACCESS_TOKEN,
        "Rules",
        's.user \\in {"", e.cred.user} /\\ Lives(e.cred.left)',
        's.user \\in {"", e.cred.user}',
    ),
    # ── Login ───────────────────────────────────────────────────────────────────────────────────────
    Fault(
        "a login ends the session before it",
        "ALoginIsRefusedWhereThereIsASessionOrALogin",
        slices.REPEATS,
        "Table",
        'IF s.state = "notLoggedIn" /\\ has_auth_token_or_development(s, e)',
        'IF s.state \\in {"notLoggedIn", "established"} /\\ has_auth_token_or_development(s, e)',
    ),
    Fault(
        "production takes a user id alone",
        "ALoginStartsWithWhatItNeedsAndNotWithout",
        slices.RENEWAL,
        "Rules",
        'has_auth_token_or_development(s, e) == e.grant[1] = "auth" \\/ Development',
        "has_auth_token_or_development(s, e) == TRUE",
    ),
    Fault(
        "a login is known by the number of the token",
        "ALoginThatIsAnsweredIsOver",
        slices.REPEATS,
        "Rules",
        "is_current_login(s, e) == e.n = s.session",
        "is_current_login(s, e) == e.n = s.cred",
    ),
    Fault(
        "a session is resumed as nobody's",
        "AStoredSessionIsResumedAsItWasStored",
        slices.STORAGE,
        "Rules",
        ", !.s.user = record[3]], cred, n)",
        "], cred, n)",
    ),
    # ── Late answers, and tokens that nobody wants ──────────────────────────────────────────────────
    Fault(
        "the answer to any login is taken for that of the present one",
        "ALateAnswerChangesNothing",
        slices.REPEATS,
        "Rules",
        "is_current_login(s, e) == e.n = s.session",
        "is_current_login(s, e) == TRUE",
    ),
    Fault(
        "an orphan is not revoked",
        "ATokenIsUsedOrInUseOrRevoked",
        slices.REPEATS,
        "Rules",
        'Say(d, <<"revoke orphan", e.cred.token>>)',
        "d",
    ),
    Fault(
        "another user's token is accepted",
        "ACredentialIsReplacedByAnAcceptedAnswerAlone",
        slices.REPEATS,
        "Rules",
        's.user \\in {"", e.cred.user} /\\ Lives(e.cred.left)',
        "Lives(e.cred.left)",
    ),
    # ── Flights ─────────────────────────────────────────────────────────────────────────────────────
    Fault(
        "a handler is asked under a number that was given out",
        "WhatStartsHasANumberThatWasNeverGivenOut",
        slices.REPEATS,
        "Rules",
        "ask_handler(d, e) ==\n    LET n == d.s.attempt + 1",
        "ask_handler(d, e) ==\n    LET n == d.s.attempt",
    ),
    Fault(
        "who waits for a failed login waits for ever",
        "WhatEndsReleasesItsWaitersExactlyOnce",
        slices.REPEATS,
        "Rules",
        'Forget(Say(d, <<"release", d.s.session, FailureOf(d, e)>>))',
        "Forget(d)",
    ),
    Fault(
        "who waits for a secure logout hears of a failure whatever comes of it",
        "WaitersHearOfSuccessExactlyWhereThereIsOne",
        slices.SECURE_LOGOUT,
        "Rules",
        'IF isDone THEN "" ELSE FailureOf(d, e)',
        "FailureOf(d, e)",
    ),
    Fault(
        "a renewal is repeated as a login",
        "OnlyALoginPresentsAGrantAtLogin",
        slices.REPEATS,
        "Rules",
        '<<"renew", n, grant>>)',
        '<<"open", n, grant>>)',
    ),
    Fault(
        "a renewal that is answered twice is sent twice",
        "AtMostOneRenewalStartsAndOnlyWhileNoneIsInFlight",
        slices.REPEATS,
        "Rules",
        "s.renewal.n = e.n /\\ s.renewal.grant = None",
        "s.renewal.n = e.n",
    ),
    Fault(
        "a secure logout gives up a renewal that was sent",
        "ARenewalThatWasSentEndsByItsAnswerOrWithTheSessionAlone",
        slices.SECURE_LOGOUT,
        "Rules",
        "IF d.s.renewal # None /\\ d.s.renewal.grant = None THEN EndRenewal",
        "IF d.s.renewal # None THEN EndRenewal",
    ),
    Fault(
        "the handler is to answer and was not asked",
        "ARenewalInFlightWasAskedOfSomebody",
        slices.REPEATS,
        "Rules",
        'Say([Next_(d) EXCEPT !.s.renewal = Renewal(n, Answer, None, 0), !.s.retry = None], <<"ask", n>>)',
        "[Next_(d) EXCEPT !.s.renewal = Renewal(n, Answer, None, 0), !.s.retry = None]",
    ),
    Fault(
        "the token of a login that is undone is revoked as that of a session",
        "NobodyIsAskedOutsideASession",
        slices.RENEWAL,
        "Rules",
        'ELSE Say(d, <<"revoke orphan", d.s.token>>)',
        'ELSE Say(d, <<"revoke", e.n, d.s.token>>)',
    ),
    Fault(
        "an access token is presented again like any other grant",
        "ATokenThatIsShownToThePlatformIsAliveOrTheOneToBeJudged",
        slices.ACCESS_TOKEN,
        "Rules",
        (
            'IF s.retry.grant[1] = "access" THEN Lives(s.retry.grant[4]) ELSE s.retry.age < Young\n'
            "asks_handler"
        ),
        "s.retry.age < Young\nasks_handler",
    ),
    # ── Renewal ─────────────────────────────────────────────────────────────────────────────────────
    Fault(
        "nobody waits for the end of a pause",
        "ARenewalStartsWhenItsTimeHasComeAndNotBefore",
        slices.REPEATS,
        "Rules",
        'IF s.retry # None THEN s.retry.left\n                 ELSE IF s.state = "tokenExpired" THEN 0',
        'IF s.state = "tokenExpired" THEN 0',
    ),
    Fault(
        "an old auth token is presented again",
        "ARenewalPresentsWhatIsStillYoungOrAsksOrDoesWithout",
        slices.REPEATS,
        "Rules",
        "THEN Lives(s.retry.grant[4]) ELSE s.retry.age < Young\nasks_handler",
        "THEN Lives(s.retry.grant[4]) ELSE TRUE\nasks_handler",
    ),
    Fault(
        "a user id is presented whatever the handler answered",
        "WhatTheHandlerAnswersIsPresented",
        slices.REPEATS,
        "Rules",
        '<<"renew", e.n, e.grant>>)',
        '<<"renew", e.n, Unaided(d.s)>>)',
    ),
    Fault(
        "a refusal is tried again as if it might pass",
        "ARenewalThatWillNotGetBetterPausesTheAsking",
        slices.RENEWAL,
        "Rules",
        '"rateLimited", "malformed"}',
        '"rateLimited", "malformed", "refused"}',
    ),
    Fault(
        "a renewal that was lost is asked for anew",
        "ARenewalThatMayGetBetterIsRepeatedWithinTheBackoff",
        slices.REPEATS,
        "Rules",
        "TryLater(d, 1, e.why, d.s.renewal.grant, d.s.renewal.age)",
        "TryLater(d, 1, e.why, None, 0)",
    ),
    Fault(
        "a token that comes late is renewed at once",
        "ARenewedTokenIsRenewedAsPlannedOrAfterARespiteIfItCameLate",
        slices.ACCESS_TOKEN,
        "Rules",
        "isLate == new.s.renew # Never /\\ new.s.renew <= 0",
        "isLate == FALSE",
    ),
    Fault(
        "asking to renew forgets what was to be presented again",
        "AskingToRenewEndsAPauseAndDisturbsNothingInFlight",
        slices.RENEWAL,
        "Rules",
        'Retry(0, "", d.s.retry.grant, d.s.retry.age)',
        'Retry(0, "", None, 0)',
    ),
    Fault(
        "the client's handler is forgotten with the user",
        "TheClientsHandlersStayUntilTheClientChangesThem",
        slices.REPEATS,
        "Rules",
        '!.s.ended = "", !.s.own = FALSE]',
        '!.s.ended = "", !.s.own = FALSE, !.s.sh = FALSE]',
    ),
    # ── Rejection ───────────────────────────────────────────────────────────────────────────────────
    Fault(
        "every rejection is verified",
        "ARejectionIsVerifiedOnceAndOnlyIfNothingElseWillTell",
        slices.REJECTION,
        "Rules",
        "s.renewal # None \\/ s.check # 0 \\/ s.revocation # None",
        "s.renewal # None \\/ s.revocation # None",
    ),
    Fault(
        "a revocation that was lost is verified like one that is doubted",
        "AVerificationStartsForARejectionOrADoubtAlone",
        slices.SECURE_LOGOUT,
        "Table",
        (
            'revocation_failed(s, e) ==\n    IF s.state = "established" /\\ is_current_revocation(s, e)\n'
            '    THEN Done(s, abandon_revocation(Draft(s, "established"), e)'
        ),
        (
            'revocation_failed(s, e) ==\n    IF s.state = "established" /\\ is_current_revocation(s, e)\n'
            '    THEN Done(s, check_revocation(Draft(s, "established"), e)'
        ),
    ),
    Fault(
        "a token that is found dead is used on",
        "AVerificationBelievesThePlatformAndNothingLess",
        slices.REJECTION,
        "Table",
        (
            'token_refuted(s, e) ==\n    IF s.state = "established" /\\ is_current_verification(s, e)\n'
            '    THEN Done(s, store_record(end_verification(Draft(s, "tokenExpired"), e), e), TRUE, "tokenRejected", <<>>)'
        ),
        (
            'token_refuted(s, e) ==\n    IF s.state = "established" /\\ is_current_verification(s, e)\n'
            '    THEN Done(s, store_record(end_verification(Draft(s, "established"), e), e), FALSE, "", <<>>)'
        ),
    ),
    # ── Secure logout ───────────────────────────────────────────────────────────────────────────────
    Fault(
        "a second secure logout begins anew",
        "ASecureLogoutStartsOnceOrHasNothingToRevoke",
        slices.SECURE_LOGOUT,
        "Rules",
        "is_revoking(s, e) == s.revocation # None",
        "is_revoking(s, e) == IsSent(s.revocation)",
    ),
    Fault(
        "a token is revoked beside its renewal",
        "ARevocationIsSentOnceWhenNothingHoldsItUp",
        slices.SECURE_LOGOUT,
        "Rules",
        "is_renewing(s, e) == s.renewal # None",
        "is_renewing(s, e) == FALSE",
    ),
    Fault(
        "a doubted revocation waits for an answer that nobody is asked for",
        "ADoubtedRevocationIsCheckedByOneVerification",
        slices.SECURE_LOGOUT,
        "Rules",
        'Say([Next_(d) EXCEPT !.s.revocation = Revocation(@.n, Never, n)], <<"verify", n, d.s.token>>)',
        "[Next_(d) EXCEPT !.s.revocation = Revocation(@.n, Never, n)]",
    ),
    Fault(
        "a failed revocation ends the pause",
        "ARevocationThatFailedLeavesTheSessionAsItWas",
        slices.SECURE_LOGOUT,
        "Rules",
        "FailureOf(d, e)>>) EXCEPT !.s.revocation = None]",
        "FailureOf(d, e)>>) EXCEPT !.s.revocation = None, !.s.retry = None]",
    ),
    Fault(
        "a check is known by the number of its revocation",
        "ARevocationThatIsProvenLogsOut",
        slices.SECURE_LOGOUT,
        "Rules",
        "s.revocation # None /\\ s.revocation.check = e.n",
        "s.revocation # None /\\ s.revocation.n = e.n",
    ),
    # ── What is told, stored and asked for ──────────────────────────────────────────────────────────
    Fault(
        "a session expires and nobody is told",
        "ObserversAreToldExactlyWhenTheStateChanges",
        slices.REPEATS,
        "Table",
        'TRUE, "tokenExpired", <<>>)',
        'FALSE, "tokenExpired", <<>>)',
    ),
    Fault(
        "an expiry is told but not stored",
        "WhatHasToBeStoredIsStored",
        slices.REPEATS,
        "Table",
        'store_record(end_verification(Draft(s, "tokenExpired"), e), e), TRUE, "tokenExpired"',
        'end_verification(Draft(s, "tokenExpired"), e), TRUE, "tokenExpired"',
    ),
    Fault(
        "it is told before it is stored",
        "ItIsStoredThenToldThenActedUpon",
        slices.REPEATS,
        "Rules",
        "<<d.out[1]>> \\o told \\o Tail(d.out)",
        "told \\o d.out",
    ),
    Fault(
        "a renewal of an expired token runs no hook",
        "HooksRunOnceAtTheirOccasion",
        slices.REPEATS,
        "Table",
        'TRUE, "tokenRenewed", <<"on_renewal">>)',
        'TRUE, "tokenRenewed", <<>>)',
    ),
    Fault(
        "what is refused takes a number",
        "ADroppedStepChangesNothing",
        slices.REPEATS,
        "Rules",
        "Dropped(s) == [s |-> s,",
        "Dropped(s) == [s |-> [s EXCEPT !.attempt = @ + 1],",
    ),
    # ── The store and the process ───────────────────────────────────────────────────────────────────
    Fault(
        "a 401 to a revocation is believed unchecked",
        "ASecureLogoutThatSucceedsLeavesNoTokenBehind",
        slices.SECURE_LOGOUT,
        "Table",
        (
            'revocation_doubted(s, e) ==\n    IF s.state = "established" /\\ is_current_revocation(s, e)\n'
            '    THEN Done(s, check_revocation(Draft(s, "established"), e), FALSE, "", <<>>)'
        ),
        (
            'revocation_doubted(s, e) ==\n    IF s.state = "established" /\\ is_current_revocation(s, e)\n'
            '    THEN Done(s, forget_record(end_session(Draft(s, "notLoggedIn"), e), e), TRUE, "secureLogout", <<"on_logout">>)'
        ),
    ),
    Fault(
        "an app hears of it before it is stored",
        "WhatAKilledProcessLeavesIsWhatWasToldLastOrComesAfterIt",
        slices.STORAGE,
        "Rules",
        "<<d.out[1]>> \\o told \\o Tail(d.out)",
        "told \\o d.out",
    ),
    Fault(
        "a logout leaves the record in the store",
        "WhatIsToldIsStored",
        slices.STORAGE,
        "Table",
        'ELSE IF s.state = "established"\n    THEN Done(s, forget_record(end_session(Draft(s, "notLoggedIn"), e), e), TRUE, "logout"',
        'ELSE IF s.state = "established"\n    THEN Done(s, end_session(Draft(s, "notLoggedIn"), e), TRUE, "logout"',
    ),
    Fault(
        "a session told to be expired is resumed as established",
        "AProcessGoesOnWithWhatIsStored",
        slices.STORAGE,
        "Rules",
        "record_is_live(s, e) == ~e.record[5] /\\ Lives(e.record[4])",
        "record_is_live(s, e) == TRUE",
    ),
]
