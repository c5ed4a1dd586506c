------------------------------ MODULE Session ------------------------------
(***************************************************************************)
(* A session in its world: an app, its handlers, a platform with its own   *)
(* truth, messages on their way, time, a store, and processes that die.    *)
(*                                                                         *)
(* A slice says who is in the world and what may happen there; the slices  *)
(* are in `slices.py` of the library, and made into modules from there.    *)
(* What a step of the session does is in `Table`, which is made from the   *)
(* life cycle that runs, over `Rules`.                                     *)
(***************************************************************************)
EXTENDS Table

CONSTANTS
    SessionHandler, AccessTokenHandler,  \* whether the app begins with one
    Logins,             \* what the app may log in with: kind, user, own handler, token
    HandlersChange,     \* whether the app registers and unregisters handlers
    App,                \* what else it may ask for
    HandlerWords,       \* what a handler may say
    Answers,            \* what a login or a renewal may come to
    Lifetimes,          \* of new tokens, in ticks
    FirstLifetime,      \* of tokens that somebody else mints
    Rejects,            \* whether tokens are voided, and calls answered with 401
    Ends,               \* what the platform may do to user a
    Repeats,            \* whether a token may come more than once
    Sleep,              \* how many ticks a machine sleeps; 0: it does not
    Kills,              \* whether the driver takes its time, and processes die
    MostAttempts, MostLate, MostProcesses, MostOwed

VARIABLES w, edge
vars == <<w, edge>>

Ticks(n) == IF n < 0 THEN Never ELSE 2 * n

Init ==
    /\ w = [s |-> NewSession(SessionHandler, AccessTokenHandler), net |-> {}, void |-> FALSE, done |-> "",
            notices |-> {}, proc |-> 0, open |-> ~Kills, stored |-> None, outbox |-> <<>>, told |-> None]
    /\ edge = None

(***************************************************************************)
(* The session hears of something, and what it commands sets out.          *)
(***************************************************************************)
User(s) == IF s.user = "" THEN "v" ELSE s.user
Mark(s) == IF s.token = None THEN None ELSE <<s.token, s.state = "tokenExpired">>

Flight(command, s) ==
    IF command[1] \in {"open", "renew"} THEN <<command[1], command[2], User(s), command[3], None>>
    ELSE <<command[1], command[2], User(s), None, <<command[3]>>>>

Sent(step) ==
    {Flight(step.out[i], step.s) : i \in {j \in 1..Len(step.out) :
        step.out[j][1] \in {"open", "renew", "verify", "revoke"}}}

(* A command that the driver has yet to carry out, and what has to be      *)
(* stored by then. What is none of this session's stays as it was.         *)
Owed(world, step) ==
    IF ~Kills THEN <<>>
    ELSE LET mine == SelectSeq(step.out, LAMBDA command : command[1] \in {"store", "tell", "hook"})
             kept == IF world.outbox = <<>> THEN world.told ELSE world.outbox[Len(world.outbox)][2]
             mark == IF world.s.token = None /\ step.s.token = None THEN kept ELSE Mark(step.s)
         IN  [i \in 1..Len(mine) |-> <<mine[i], mark>>]

(* The network loses the oldest of what nobody waits for, as it may.       *)
Lose(s, net) ==
    LET awaited == (IF s.state = "establishing" THEN {s.session} ELSE {})
                   \cup (IF s.renewal # None THEN {s.renewal.n} ELSE {})
                   \cup {s.check}
                   \cup (IF s.revocation # None THEN {s.revocation.n, s.revocation.check} ELSE {})
        late == {f \in net : f[2] \notin awaited}
        most == Cardinality(late) - MostLate
    IN  {f \in net : f \notin late \/ Cardinality({g \in late : g[2] < f[2]}) >= most}

After(world, step) ==
    IF ~step.taken THEN [world EXCEPT !.s = step.s]
    ELSE [world EXCEPT !.s = step.s,
                       !.net = Lose(step.s, @ \cup Sent(step)),
                       !.void = @ /\ step.s.cred = world.s.cred,
                       !.outbox = @ \o Owed(world, step)]

(* What happened last is told of each edge; it is no part of the world.    *)
Edge(label, kind, commands) == <<label, kind, commands>>

Heard(world, label, e) ==
    LET step == Step(world.s, e)
    IN  /\ step.s.attempt <= MostAttempts
        /\ w' = After(world, step)
        /\ edge' = Edge(label, IF step.taken THEN "taken" ELSE "dropped", step.out)

Happened(world, label) == w' = world /\ edge' = Edge(label, "", <<>>)

(***************************************************************************)
(* Time                                                                    *)
(***************************************************************************)
Less(left, time) == IF left = Never THEN Never ELSE Max(0, left - time)

OlderGrant(grant, time) ==
    IF grant # None /\ grant[1] = "access" THEN [grant EXCEPT ![4] = Less(@, time)] ELSE grant

Older(age, grant, time) ==
    IF grant = None \/ grant[1] = "access" THEN 0 ELSE Min(Young, age + time)

OlderSession(s, time) ==
    LET isHeld == s.token # None /\ s.state = "established"
    IN  Norm([s EXCEPT
        !.exp = IF isHeld /\ @ # Never THEN @ - time ELSE @,
        !.renew = IF isHeld /\ @ # Never THEN @ - time ELSE @,
        !.renewal = IF @ = None THEN None
                    ELSE Renewal(@.n, IF @.left = Never THEN Never ELSE @.left - time,
                                 OlderGrant(@.grant, time), Older(@.age, @.grant, time)),
        !.retry = IF @ = None THEN None
                  ELSE Retry(@.left - time, @.why, OlderGrant(@.grant, time), Older(@.age, @.grant, time)),
        !.revocation = IF @ = None \/ @.left = Never THEN @ ELSE [@ EXCEPT !.left = @ - time]])

OlderRecord(record, time) == IF record = None THEN None ELSE [record EXCEPT ![4] = Less(@, time)]

OlderFlight(f, time) ==
    <<f[1], f[2], f[3], OlderGrant(f[4], time),
      IF Len(f[5]) = 3 THEN [f[5] EXCEPT ![3] = Less(@, time)] ELSE f[5]>>

OlderWorld(time) ==
    [w EXCEPT !.s = OlderSession(@, time),
              !.net = {OlderFlight(f, time) : f \in @},
              !.stored = OlderRecord(@, time),
              !.outbox = [i \in 1..Len(@) |->
                  IF @[i][1][1] = "store" THEN <<<<"store", OlderRecord(@[i][1][2], time)>>, @[i][2]>>
                  ELSE @[i]]]

IsBehind == Len(w.outbox) > MostOwed
IsFree == ~IsDue(w.s) /\ w.open /\ ~IsBehind
TimePasses == ~IsDue(w.s) /\ ~IsBehind /\ (w.s.state \in InSession \/ ~w.open)

Due == IsDue(w.s) /\ LET name == Upcoming(w.s)[2] IN Heard(w, <<name>>, [name |-> name])
Tick == TimePasses /\ Happened(OlderWorld(2), <<"tick">>)
Oversleep == TimePasses /\ Sleep > 0 /\ Happened(OlderWorld(2 * Sleep), <<"sleep">>)

(***************************************************************************)
(* The app                                                                 *)
(***************************************************************************)
(* How long a token still lives, that somebody else minted.                *)
Left(word) == CASE word = "fresh" -> Ticks(FirstLifetime) [] word = "late" -> Ticks(1) [] word = "dead" -> 0

LoginEvent(who) ==
    LET kind == who[1]
        user == who[2]
        token == <<w.proc, w.s.attempt + 1>>
        grant == CASE kind = "authToken" -> <<"auth", user>>
                   [] kind = "development" -> <<"user", user>>
                   [] kind = "accessToken" -> <<"access", token, user, Left(who[4])>>
                   [] kind = "visitor" -> <<"visitor", FALSE>>
                   [] kind = "signedVisitor" -> <<"visitor", TRUE>>
                   [] kind = "bot" -> <<"bot">>
        name == CASE kind \in {"authToken", "development"} -> "login"
                  [] kind = "accessToken" -> "login_with_access_token"
                  [] kind \in {"visitor", "signedVisitor"} -> "login_as_visitor"
                  [] kind = "bot" -> "login_as_bot"
    IN  [name |-> name, kind |-> kind, grant |-> grant, own |-> who[3]]

Login == IsFree /\ \E who \in Logins : Heard(w, <<"login">> \o who, LoginEvent(who))

Ask ==
    /\ IsFree
    /\ \E name \in {"logout", "secure_logout", "renew_now"} \cap App : Heard(w, <<name>>, [name |-> name])

Cancel ==
    /\ IsFree
    /\ "cancel" \in App
    /\ \E n \in {0, w.s.session} : Heard(w, <<"login_cancelled", n>>, [name |-> "login_cancelled", n |-> n])

ChangeHandlers ==
    /\ IsFree
    /\ HandlersChange
    /\ \E both \in {<<FALSE, FALSE>>, <<TRUE, FALSE>>, <<FALSE, TRUE>>} \ {<<w.s.sh, w.s.ah>>} :
        Heard(w, <<"handlers_changed">> \o both, [name |-> "handlers_changed", sh |-> both[1], ah |-> both[2]])

Brought(word, n) ==
    LET token == <<w.proc, n>>
    IN  CASE word = "auth token" -> <<"auth", User(w.s)>>
          [] word = "user id" -> <<"user", User(w.s)>>
          [] word = "signature" -> <<"visitor", TRUE>>
          [] OTHER -> <<"access", token, User(w.s), Left(word)>>

Handler ==
    /\ IsFree
    /\ \E n \in {0} \cup (IF w.s.renewal = None THEN {} ELSE {w.s.renewal.n}) : \E word \in HandlerWords :
        Heard(w, <<"handler", n, word>>,
              IF word = "unable" THEN [name |-> "renewal_unable", n |-> n]
              ELSE [name |-> "renewal_answered", n |-> n, grant |-> Brought(word, n)])

(***************************************************************************)
(* The platform and the way to it                                          *)
(***************************************************************************)
Without(f) == [w EXCEPT !.net = @ \ {f}]
Cred(token, user, left) == [token |-> token, user |-> user, left |-> left]
Opens(f) == f[1] = "open"
IsAccess(f) == f[4][1] = "access"
Success(f, cred) ==
    [name |-> IF Opens(f) THEN "session_opened" ELSE "token_renewed", n |-> f[2], cred |-> cred,
     minted |-> ~IsAccess(f)]
Failure(f, why) == [name |-> IF Opens(f) THEN "login_failed" ELSE "renewal_failed", n |-> f[2], why |-> why]
End(n, user) ==
    [name |-> IF w.done = "deleted" THEN "user_deleted" ELSE "user_banned", n |-> n, user |-> user]
IsEnded(f) == w.done # "" /\ f[3] = "a"

Granted(f) ==
    /\ "granted" \in Answers
    /\ f[5] = None
    /\ IF IsAccess(f)
       THEN Heard(Without(f), <<f[1], f[2], "granted", 0>>, Success(f, Cred(f[4][2], f[4][3], f[4][4])))
       ELSE \E life \in Lifetimes :
            LET token == <<w.proc, f[2]>>
                kept == <<f[1], f[2], f[3], f[4], <<token, f[3], Ticks(life)>>>>
                world == IF Repeats THEN [Without(f) EXCEPT !.net = @ \cup {kept}] ELSE Without(f)
            IN  Heard(world, <<f[1], f[2], "granted", life>>, Success(f, Cred(token, f[3], Ticks(life))))

Foreign(f) ==
    /\ "foreign" \in Answers
    /\ f[5] = None
    /\ Heard(Without(f), <<f[1], f[2], "foreign">>,
             Success(f, Cred(<<w.proc, f[2]>>, "x", Ticks(FirstLifetime))))

Failed(f) ==
    /\ f[5] = None
    /\ \E word \in {"refused", "lost"} \cap Answers :
        Heard(Without(f), <<f[1], f[2], word>>, Failure(f, IF word = "lost" THEN "unreachable" ELSE word))

Ended(f) ==
    /\ f[5] = None
    /\ IsEnded(f)
    /\ \/ Heard(Without(f), <<f[1], f[2], w.done>>, End(f[2], ""))
       \/ /\ ~IsAccess(f)
          /\ LET orphan == <<"orphan", f[2], "a", None, <<<<w.proc, f[2]>>, "a", Ticks(FirstLifetime)>>>>
             IN  Heard([Without(f) EXCEPT !.net = @ \cup {orphan}],
                       <<f[1], f[2], w.done, "with a token">>, End(f[2], ""))

Repeated(f) ==
    /\ f[5] # None
    /\ \/ Heard(w, <<"again", f[1], f[2]>>, Success(f, Cred(f[5][1], f[5][2], f[5][3])))
       \/ Heard(w, <<"again", "orphan", f[2]>>,
                [name |-> "token_orphaned", cred |-> Cred(f[5][1], f[5][2], f[5][3])])
       \/ Happened(Without(f), <<"no more", f[1], f[2]>>)

(* Of a token that is not in use any more nothing is known: a renewal has  *)
(* it voided, a logout has not.                                            *)
IsInUse(f) == f[5][1] = w.s.token
MayLive(f) == ~w.void \/ ~IsInUse(f)
MayBeDead(f) == w.void \/ ~IsInUse(f) \/ w.s.state = "tokenExpired"

Verified(f) ==
    \/ Heard(Without(f), <<"verify", f[2], "lost">>,
             [name |-> "verification_failed", n |-> f[2], why |-> "unreachable"])
    \/ IsEnded(f) /\ Heard(Without(f), <<"verify", f[2], w.done>>, End(f[2], ""))
    \/ MayLive(f) /\ Heard(Without(f), <<"verify", f[2], "confirmed">>,  \* perhaps from before a ban
                           [name |-> "token_confirmed", n |-> f[2]])
    \/ MayBeDead(f) /\ Heard(Without(f), <<"verify", f[2], "refuted">>,
                             [name |-> "token_refuted", n |-> f[2]])

Revoked(f) ==
    LET lost == [name |-> "revocation_failed", n |-> f[2], why |-> "unreachable"]
        void == [Without(f) EXCEPT !.void = @ \/ IsInUse(f)]
    IN  \/ Heard(Without(f), <<"revoke", f[2], "lost">>, lost)
        \/ Heard(Without(f), <<"revoke", f[2], "doubted">>, [name |-> "revocation_doubted", n |-> f[2]])
        \/ IsEnded(f) /\ Heard(Without(f), <<"revoke", f[2], w.done>>, End(f[2], ""))
        \/ MayLive(f) /\ Heard(void, <<"revoke", f[2], "lost after">>, lost)
        \/ MayLive(f) /\ Heard(void, <<"revoke", f[2], "revoked">>, [name |-> "token_revoked", n |-> f[2]])

Of(kind) == {f \in w.net : f[1] = kind}
Answer_(f) == Granted(f) \/ Foreign(f) \/ Failed(f) \/ Ended(f)
AnswerLogin == IsFree /\ \E f \in Of("open") : Answer_(f)
AnswerRenewal == IsFree /\ \E f \in Of("renew") : Answer_(f)
Repeat == IsFree /\ \E f \in Of("open") \cup Of("renew") : Repeated(f)
AnswerVerification == IsFree /\ \E f \in Of("verify") : Verified(f)
AnswerRevocation == IsFree /\ \E f \in Of("revoke") : Revoked(f)
BringOrphan ==
    /\ IsFree
    /\ \E f \in Of("orphan") :
        Heard(Without(f), <<"orphan", f[2]>>,
              [name |-> "token_orphaned", cred |-> Cred(f[5][1], f[5][2], f[5][3])])

Reject ==
    /\ IsFree
    /\ Rejects
    /\ \E n \in {0, w.s.cred} : Heard(w, <<"rejected", n>>, [name |-> "token_rejected", n |-> n])

Void ==
    /\ IsFree
    /\ Rejects
    /\ w.s.state \in Live
    /\ ~w.void
    /\ Happened([w EXCEPT !.void = TRUE], <<"void">>)

EndUser ==
    /\ IsFree
    /\ w.done = ""
    /\ \E word \in Ends :
        Happened([w EXCEPT !.done = word,
                           !.notices = IF w.s.user = "a" THEN @ \cup {w.s.session} ELSE @], <<"end", word>>)

(* A session that makes nothing of its end is told of it again.            *)
Notice ==
    /\ IsFree
    /\ w.done # ""
    /\ \E n \in w.notices :
        LET isLost == ~Step(w.s, End(n, "a")).taken /\ n = w.s.session /\ w.s.state \in InSession
        IN  Heard(IF isLost THEN w ELSE [w EXCEPT !.notices = @ \ {n}], <<"notice", n>>, End(n, "a"))

Hear ==
    /\ IsFree
    /\ w.done # ""
    /\ \/ w.s.user = "a" /\ w.s.cred # 0 /\ Heard(w, <<"api", w.s.cred>>, End(w.s.cred, ""))
       \/ Heard(w, <<"gossip">>, End(Never, "x"))

(***************************************************************************)
(* The store and the process                                               *)
(***************************************************************************)
OpenStore ==
    /\ ~IsDue(w.s)
    /\ ~w.open
    /\ LET told == IF w.stored = None THEN None ELSE <<w.stored[2], w.stored[5]>>
           world == [w EXCEPT !.open = TRUE, !.told = told]
       IN  IF w.stored = None THEN Happened(world, <<"open the store">>)
           ELSE Heard(world, <<"open the store">>, [name |-> "resume", record |-> w.stored])

CarryOut ==
    /\ ~IsDue(w.s)
    /\ w.outbox # <<>>
    /\ LET owed == Head(w.outbox)
           world == [w EXCEPT !.outbox = Tail(@)]
       IN  IF owed[1][1] = "store" THEN Happened([world EXCEPT !.stored = owed[1][2]], <<"store">>)
           ELSE Happened([world EXCEPT !.told = owed[2]], <<"tell">>)

Kill ==
    /\ ~IsDue(w.s)
    /\ Kills
    /\ w.open
    /\ w.proc + 1 < MostProcesses
    /\ Happened([w EXCEPT !.s = NewSession(SessionHandler, AccessTokenHandler), !.net = {}, !.void = FALSE,
                          !.notices = {}, !.proc = @ + 1, !.open = FALSE, !.outbox = <<>>], <<"kill">>)

Next ==
    \/ Due \/ Tick \/ Oversleep
    \/ Login \/ Ask \/ Cancel \/ ChangeHandlers \/ Handler
    \/ AnswerLogin \/ AnswerRenewal \/ Repeat \/ AnswerVerification \/ AnswerRevocation \/ BringOrphan
    \/ Reject \/ Void \/ EndUser \/ Notice \/ Hear
    \/ OpenStore \/ CarryOut \/ Kill

Spec == Init /\ [][Next]_vars

(***************************************************************************)
(* What matters of a world: the same tuple as `view` of the library.       *)
(***************************************************************************)
SessionView ==
    LET s == w.s
    IN  <<s.state, s.kind, s.user, <<s.attempt, s.session, s.cred>>,
          IF s.token = None THEN None ELSE <<s.token, s.exp, s.renew>>,
          IF s.renewal = None THEN None ELSE <<s.renewal.n, s.renewal.left, s.renewal.grant, s.renewal.age>>,
          IF s.retry = None THEN None ELSE <<s.retry.left, s.retry.why, s.retry.grant, s.retry.age>>,
          s.check,
          IF s.revocation = None THEN None ELSE <<s.revocation.n, s.revocation.left, s.revocation.check>>,
          s.ended, <<s.sh, s.ah, s.own>>>>

View ==
    <<SessionView, IF IsDue(w.s) THEN None ELSE Authorization(w.s), w.net,
      <<w.void, w.done, w.notices>>, <<w.proc, w.open, w.stored, w.outbox, w.told>>>>

Emit == PrintT(ToString(<<View, edge', View'>>))
=============================================================================
