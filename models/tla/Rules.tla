------------------------------- MODULE Rules -------------------------------
(***************************************************************************)
(* What the names in the chart mean, said a second time: guards and        *)
(* reactions over a session and an event. `_rules.py` says it first, and   *)
(* nothing here is made from that; the two are compared edge by edge.      *)
(*                                                                         *)
(* Times count from now, in half ticks. An even number is a whole number   *)
(* of ticks away, an odd one lies within a tick.                           *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets, TLC

CONSTANTS
    Life,        \* how long tokens live, that do not live for ever
    Answer,      \* how long a handler may take
    Pause,       \* how long the asking pauses
    Young,       \* how long an auth token is presented again
    Wait,        \* how long a secure logout waits for a renewal
    Development  \* whether a user id alone may log in

Never == -1      \* a time that does not come, and a number that there is not
None == <<>>
Live == {"established", "tokenExpired"}
InSession == Live \cup {"establishing"}

Min(a, b) == IF a < b THEN a ELSE b
Max(a, b) == IF a > b THEN a ELSE b
Lives(left) == left = Never \/ left > 0

(* A session's whole memory. `token` is a pair of process and attempt.     *)
NewSession(sh, ah) == [
    state |-> "notLoggedIn", kind |-> "", user |-> "", attempt |-> 0, session |-> 0, cred |-> 0,
    token |-> None, exp |-> 0, renew |-> 0, renewal |-> None, retry |-> None, check |-> 0,
    revocation |-> None, ended |-> "", sh |-> sh, ah |-> ah, own |-> FALSE]

Renewal(n, left, grant, age) == [n |-> n, left |-> left, grant |-> grant, age |-> age]
Retry(left, why, grant, age) == [left |-> left, why |-> why, grant |-> grant, age |-> age]
Revocation(n, left, check) == [n |-> n, left |-> left, check |-> check]
IsSent(revocation) == revocation # None /\ revocation.left = Never

CanRenew(s, kind) ==
    CASE kind = "accessToken" -> s.ah
      [] kind \in {"authToken", "signedVisitor"} -> s.own \/ s.sh
      [] kind \in {"development", "visitor", "bot"} -> TRUE
      [] OTHER -> FALSE

UserOf(grant) ==
    CASE grant[1] \in {"auth", "user"} -> grant[2]
      [] grant[1] = "access" -> grant[3]
      [] OTHER -> ""

Unaided(s) ==
    CASE s.kind \in {"visitor", "signedVisitor"} -> <<"visitor", FALSE>>
      [] s.kind = "bot" -> <<"bot">>
      [] OTHER -> <<"user", s.user>>

RecordOf(s) ==
    IF s.token = None THEN None
    ELSE <<s.kind, s.token, s.user,
           IF s.state = "tokenExpired" THEN 0 ELSE IF s.exp = Never THEN Never ELSE Max(0, s.exp),
           s.state = "tokenExpired">>

(***************************************************************************)
(* What time brings next, and when: a name and a time.                     *)
(***************************************************************************)
Far == 1000000

Upcoming(s) ==
    LET dies == IF s.state = "established" /\ s.token # None /\ s.exp # Never
                THEN <<s.exp, "token_expired">> ELSE <<Far, "">>
        again == IF s.retry # None THEN s.retry.left
                 ELSE IF s.state = "tokenExpired" THEN 0
                 ELSE IF s.renew = Never THEN Far ELSE s.renew
        renews == IF s.renewal = None
                  THEN IF s.revocation = None /\ CanRenew(s, s.kind) /\ again < dies[1]
                       THEN <<again, "renewal_due">> ELSE dies
                  ELSE IF s.renewal.grant = None /\ s.renewal.left < dies[1]
                       THEN <<s.renewal.left, "answer_overdue">> ELSE dies
        waits == IF s.renewal = None THEN 0 ELSE s.revocation.left
    IN  IF s.state \notin Live THEN <<Far, "">>
        ELSE IF s.revocation # None /\ ~IsSent(s.revocation) /\ waits < renews[1]
             THEN <<waits, "revocation_due">>
        ELSE renews

IsDue(s) == Upcoming(s)[1] <= 0

(* What is overdue and held up is just that: overdue. How long matters     *)
(* only beside a token that expired at the same look at the clock.         *)
Norm(s) ==
    LET heldUp == s.renewal # None \/ s.revocation # None \/ ~CanRenew(s, s.kind)
        isAlive == s.state # "established" \/ s.token = None \/ Lives(s.exp)
        renew == IF s.renew <= 0 /\ s.renew # Never /\ (heldUp \/ s.retry # None \/ isAlive)
                 THEN 0 ELSE s.renew
        retry == IF s.retry # None /\ s.retry.left <= 0 /\ (heldUp \/ isAlive)
                 THEN [s.retry EXCEPT !.left = 0] ELSE s.retry
    IN  [s EXCEPT !.retry = retry,
                  !.renew = IF s.state = "tokenExpired" \/ s.token = None THEN 0 ELSE renew,
                  !.exp = IF s.state = "tokenExpired" \/ s.token = None THEN 0 ELSE @]

(***************************************************************************)
(* What a caller who needs a header gets.                                  *)
(***************************************************************************)
Authorization(s) ==
    CASE s.state = "established" -> <<"granted", s.cred>>
      [] s.state = "establishing" -> <<"waiting", s.session>>
      [] s.renewal # None -> <<"waiting", s.renewal.n>>
      [] s.renewal = None /\ s.revocation # None -> <<"waiting", s.revocation.n>>
      [] s.renewal = None /\ s.revocation = None /\ s.state = "tokenExpired" /\ ~CanRenew(s, s.kind)
         -> <<"denied", "noHandler", Never, "">>
      [] s.renewal = None /\ s.revocation = None /\ s.state = "tokenExpired" /\ CanRenew(s, s.kind)
         -> IF s.retry = None THEN <<"denied", "", Never, "">>
            ELSE <<"denied", s.retry.why, s.retry.left, "">>
      [] OTHER -> <<"denied", "", Never, s.ended>>

(***************************************************************************)
(* Guards                                                                  *)
(***************************************************************************)
has_auth_token_or_development(s, e) == e.grant[1] = "auth" \/ Development
has_access_token_handler(s, e) == s.ah
presents_live_token(s, e) == Lives(e.grant[4])
is_current_login(s, e) == e.n = s.session
is_acceptable(s, e) == s.user \in {"", e.cred.user} /\ Lives(e.cred.left)
is_minted(s, e) == e.minted /\ e.cred.token # s.token
is_in_use(s, e) == e.cred.token = s.token
record_is_live(s, e) == ~e.record[5] /\ Lives(e.record[4])
record_is_renewable(s, e) == CanRenew(s, e.record[1])
is_current_ask(s, e) == s.renewal # None /\ s.renewal.n = e.n /\ s.renewal.grant = None
is_current_renewal(s, e) == s.renewal # None /\ s.renewal.n = e.n /\ s.renewal.grant # None
is_retryable(s, e) == e.why \in {"unreachable", "unavailable", "rateLimited", "malformed"}
has_grant_to_resend(s, e) ==
    /\ s.retry # None
    /\ s.retry.grant # None
    /\ IF s.retry.grant[1] = "access" THEN Lives(s.retry.grant[4]) ELSE s.retry.age < Young
asks_handler(s, e) == s.kind = "accessToken" \/ s.own \/ s.sh
is_renewable(s, e) == CanRenew(s, s.kind)
is_current_credential(s, e) == e.n = s.cred
is_busy(s, e) == s.renewal # None \/ s.check # 0 \/ s.revocation # None
is_current_verification(s, e) == e.n = s.check
concerns_this_session(s, e) == (e.n = Never \/ e.n >= s.session) /\ e.user \in {"", s.user}
is_revoking(s, e) == s.revocation # None
is_renewing(s, e) == s.renewal # None
is_current_revocation(s, e) == IsSent(s.revocation) /\ s.revocation.n = e.n /\ s.revocation.check = 0
is_revocation_check(s, e) == s.revocation # None /\ s.revocation.check = e.n

(***************************************************************************)
(* Reactions. A draft is the session as it will be, and what it commands.  *)
(***************************************************************************)
Say(d, command) == [d EXCEPT !.out = Append(@, command)]
SayFirst(d, command) == [d EXCEPT !.out = <<command>> \o @]
Next_(d) == [d EXCEPT !.s.attempt = @ + 1]

FailureOf(d, e) ==
    CASE e.name \in {"login_failed", "renewal_failed", "revocation_failed", "verification_failed"} -> e.why
      [] e.name = "user_banned" -> "banned"
      [] e.name = "user_deleted" -> "deleted"
      [] e.name = "login_cancelled" -> "cancelled"
      [] e.name = "renewal_unable" -> "unable"
      [] e.name = "answer_overdue" -> "noAnswer"
      [] e.name = "revocation_due" -> "unreachable"
      [] e.name = "token_confirmed" -> "unauthorized"
      [] e.name \in {"session_opened", "token_renewed"} ->
            IF d.s.user \notin {"", e.cred.user} THEN "wrongUser" ELSE "expiredOnArrival"
      [] OTHER -> "loggedOut"

Use(d, cred, n) ==
    [d EXCEPT !.s.token = cred.token, !.s.cred = n, !.s.exp = cred.left,
              !.s.renew = IF cred.left = Never THEN Never ELSE cred.left - Life \div 2]

Forget(d) ==
    [d EXCEPT !.s.kind = "", !.s.user = "", !.s.cred = 0, !.s.token = None, !.s.exp = 0, !.s.renew = 0,
              !.s.renewal = None, !.s.retry = None, !.s.check = 0, !.s.revocation = None,
              !.s.ended = "", !.s.own = FALSE]

EndRenewal(d, why) ==
    IF d.s.renewal = None THEN d
    ELSE [Say(d, <<"release", d.s.renewal.n, why>>) EXCEPT !.s.renewal = None]

EndCheck(d) ==
    IF d.s.check = 0 THEN d ELSE [Say(d, <<"release", d.s.check, "">>) EXCEPT !.s.check = 0]

Send(d, grant, age) ==
    LET n == d.s.attempt + 1
    IN  Say([Next_(d) EXCEPT !.s.renewal = Renewal(n, Never, grant, age), !.s.retry = None],
            <<"renew", n, grant>>)

TryLater(d, left, why, grant, age) ==
    IF d.s.renewal = None THEN d
    ELSE EndRenewal([d EXCEPT !.s.retry = Retry(left, why, grant, age)], why)

start_login(d, e) ==
    LET n == d.s.attempt + 1
    IN  Say([Next_(d) EXCEPT !.s.session = n, !.s.kind = e.kind, !.s.user = UserOf(e.grant),
                             !.s.own = e.own],
            <<"open", n, e.grant>>)
adopt_credential(d, e) == Say(Use([d EXCEPT !.s.user = e.cred.user], e.cred, e.n), <<"release", e.n, "">>)
fail_login(d, e) == Forget(Say(d, <<"release", d.s.session, FailureOf(d, e)>>))
restore_session(d, e) ==
    LET n == d.s.attempt + 1
        record == e.record
        cred == [token |-> record[2], user |-> record[3], left |-> record[4]]
    IN  Use([Next_(d) EXCEPT !.s.session = n, !.s.kind = record[1], !.s.user = record[3]], cred, n)
store_record(d, e) == IF d.s.token = None THEN d ELSE SayFirst(d, <<"store", RecordOf(d.s)>>)
forget_record(d, e) == SayFirst(d, <<"store", None>>)
revoke_orphan(d, e) == Say(d, <<"revoke orphan", e.cred.token>>)

ask_handler(d, e) ==
    LET n == d.s.attempt + 1
    IN  Say([Next_(d) EXCEPT !.s.renewal = Renewal(n, Answer, None, 0), !.s.retry = None], <<"ask", n>>)
renew_unaided(d, e) == Send(d, Unaided(d.s), 0)
resend_grant(d, e) == Send(d, d.s.retry.grant, d.s.retry.age)
send_renewal(d, e) ==
    Say([d EXCEPT !.s.renewal = Renewal(e.n, Never, e.grant, 0)], <<"renew", e.n, e.grant>>)
replace_credential(d, e) ==
    LET new == [Use(EndCheck(d), e.cred, e.n) EXCEPT !.s.renewal = None]
        isLate == new.s.renew # Never /\ new.s.renew <= 0
    IN  Say([new EXCEPT !.s.retry = IF isLate THEN Retry(Min(Pause, new.s.exp \div 2), "expiredOnArrival", None, 0)
                                    ELSE None],
            <<"release", e.n, "">>)
back_off(d, e) == TryLater(d, 1, e.why, d.s.renewal.grant, d.s.renewal.age)
pause_asking(d, e) == TryLater(d, Pause, FailureOf(d, e), None, 0)
end_pause(d, e) ==
    IF d.s.renewal # None THEN d
    ELSE IF d.s.retry = None THEN [d EXCEPT !.s.retry = Retry(0, "", None, 0)]
    ELSE [d EXCEPT !.s.retry = Retry(0, "", d.s.retry.grant, d.s.retry.age)]
note_handlers(d, e) == [d EXCEPT !.s.sh = e.sh, !.s.ah = e.ah]

start_verification(d, e) ==
    LET n == d.s.attempt + 1
    IN  Say([Next_(d) EXCEPT !.s.check = n], <<"verify", n, d.s.token>>)
end_verification(d, e) == EndCheck(d)
start_revocation(d, e) ==
    LET n == d.s.attempt + 1
        new == [Next_(d) EXCEPT !.s.revocation = Revocation(n, Wait, 0)]
    IN  IF d.s.renewal # None /\ d.s.renewal.grant = None THEN EndRenewal(new, "superseded") ELSE new
send_revocation(d, e) ==
    Say([d EXCEPT !.s.revocation = Revocation(@.n, Never, 0)], <<"revoke", d.s.revocation.n, d.s.token>>)
check_revocation(d, e) ==
    LET n == d.s.attempt + 1
    IN  Say([Next_(d) EXCEPT !.s.revocation = Revocation(@.n, Never, n)], <<"verify", n, d.s.token>>)
abandon_revocation(d, e) ==
    [Say(d, <<"release", d.s.revocation.n, FailureOf(d, e)>>) EXCEPT !.s.revocation = None]
disown_credential(d, e) ==
    IF d.s.kind = "accessToken" THEN d ELSE Say(d, <<"revoke orphan", d.s.token>>)
end_session(d, e) ==
    LET calm == EndCheck(EndRenewal(d, FailureOf(d, e)))
        isDone == e.name \in {"token_revoked", "token_refuted"}
        free == IF d.s.revocation = None THEN calm
                ELSE Say(calm, <<"release", d.s.revocation.n, IF isDone THEN "" ELSE FailureOf(d, e)>>)
    IN  [Forget(free) EXCEPT !.s.ended = CASE e.name = "user_banned" -> "globalBan"
                                           [] e.name = "user_deleted" -> "userDeleted"
                                           [] OTHER -> ""]

(***************************************************************************)
(* One step. `reason` is why the state changes, "" if it does not.         *)
(***************************************************************************)
Draft(s, target) == [s |-> [s EXCEPT !.state = target], out |-> <<>>]

Tell(before, d, changes, reason, hooks) ==
    LET user == IF d.s.user # "" THEN d.s.user ELSE before.user
        told == (IF changes THEN <<<<"tell", d.s.state, reason>>>> ELSE <<>>)
                \o [i \in 1..Len(hooks) |-> <<"hook", hooks[i], user>>]
    IN  IF d.out # <<>> /\ d.out[1][1] = "store"
        THEN <<d.out[1]>> \o told \o Tail(d.out) ELSE told \o d.out

Done(before, d, changes, reason, hooks) ==
    [s |-> Norm(d.s), out |-> Tell(before, d, changes, reason, hooks), taken |-> TRUE]
Dropped(s) == [s |-> s, out |-> <<>>, taken |-> FALSE]
=============================================================================
