----------------------------- MODULE Properties -----------------------------
(***************************************************************************)
(* What a session promises, over the model. A property has the name of the *)
(* sentence that says the same of the code, written without spaces; which  *)
(* requirements it speaks for stands there. Nothing here looks into        *)
(* `Table`, nor at what the names in the chart mean.                       *)
(*                                                                         *)
(* First what is true of every world, then of everything that happens.     *)
(***************************************************************************)
EXTENDS Session

S == w.s

(***************************************************************************)
(* Of every world                                                          *)
(***************************************************************************)
ACredentialIsHeldExactlyWhileEstablishedOrExpired == (S.token # None) <=> (S.state \in Live)

NothingOfAUserIsLeftOutsideASession ==
    S.state \notin InSession =>
        /\ S.kind = "" /\ S.user = "" /\ S.token = None /\ S.cred = 0 /\ S.renewal = None
        /\ S.retry = None /\ S.check = 0 /\ S.revocation = None /\ ~S.own

TheSessionIsOfOneUserAndOneKind ==
    /\ S.state \in InSession => S.kind # ""
    /\ S.state = "establishing" => ((S.user = "") <=> (S.kind \in {"visitor", "signedVisitor", "bot"}))
    /\ S.state \in Live => S.user # ""

ALoginIsAloneInFlight ==
    S.state = "establishing" =>
        /\ S.session = S.attempt
        /\ S.renewal = None /\ S.retry = None /\ S.check = 0 /\ S.revocation = None

OnlyAnEstablishedSessionVerifies == S.check # 0 => S.state = "established"

ASessionHasAnEndingExactlyWhenTerminated == (S.ended # "") <=> (S.state = "terminated")

NumbersRiseInTheOrderInWhichAttemptsMayStart ==
    LET begun == IF S.state \in Live THEN S.cred ELSE S.session
        given == SelectSeq(<<begun, S.check,
                             IF S.renewal = None THEN 0 ELSE S.renewal.n,
                             IF S.revocation = None THEN 0 ELSE S.revocation.n,
                             IF S.revocation = None THEN 0 ELSE S.revocation.check>>, LAMBDA n : n # 0)
    IN  /\ \A i \in 1..(Len(given) - 1) : given[i] < given[i + 1]
        /\ \A i \in 1..Len(given) : given[i] <= S.attempt

ASessionBeganBeforeItsCredentialCame ==
    /\ S.session <= S.attempt
    /\ S.state \in InSession => S.session >= 1
    /\ S.token # None => S.session <= S.cred

ARenewalIsInFlightOrComesLaterButNotBoth == S.renewal = None \/ S.retry = None

AHandlerHasADeadlineExactlyWhileItIsAsked ==
    S.renewal # None => ((S.renewal.left = Never) <=> (S.renewal.grant # None))

AHandlerNeverHasLongerThanTheDeadline == S.renewal # None => S.renewal.left <= Answer

NoPauseIsLongerThanTheLongest == S.retry # None => S.retry.left <= Pause

ARenewalThatSomebodyAskedForIsDueAtOnce == S.retry # None /\ S.retry.why = "" => S.retry.left <= 0

NothingWasObtainedInTheFuture ==
    /\ S.renewal # None => S.renewal.age \in 0..Young
    /\ S.retry # None => S.retry.age \in 0..Young

RenewalIsPlannedEarlyByTheJitterAndNeverLate ==
    S.state = "established" =>
        IF S.exp = Never THEN S.renew = Never
        ELSE S.renew = S.exp - Life \div 2 \/ (S.renew = 0 /\ S.exp <= Life \div 2)

ASecureLogoutWaitsForARenewalThatWasSentAndNoOther ==
    S.revocation # None /\ S.renewal # None => S.renewal.grant # None /\ ~IsSent(S.revocation)

ASecureLogoutNeverWaitsLongerThanTheLimit == S.revocation # None => S.revocation.left <= Wait

OnlyARevocationThatWasSentIsChecked == S.revocation # None /\ S.revocation.check # 0 => IsSent(S.revocation)

AHeaderIsGrantedForALiveTokenOfThisSessionAlone ==
    ~IsDue(S) /\ Authorization(S)[1] = "granted" =>
        S.state = "established" /\ S.token # None /\ Lives(S.exp) /\ Authorization(S)[2] = S.cred

(***************************************************************************)
(* Of everything that happens                                              *)
(***************************************************************************)
L == edge'[1]                      \* what happened
IsStep == edge'[2] # ""            \* whether the session heard of it
IsDropped == edge'[2] = "dropped"
Out == edge'[3]                    \* what the session commanded
A == w'.s                          \* the session afterwards

All(word) == SelectSeq(Out, LAMBDA command : command[1] = word)
Has(word) == All(word) # <<>>
Is(words) == IsStep /\ L[1] \in words

(* Which request it is about, and what came of it.                         *)
N == IF L[1] = "again" THEN L[3] ELSE L[2]
About(kind) == IsStep /\ (L[1] = kind \/ (L[1] = "again" /\ L[2] = kind))
Came(kind, words) == About(kind) /\ (IF L[1] = "again" THEN "granted" ELSE L[3]) \in words
The == CHOOSE f \in w.net : f[1] = (IF L[1] = "again" THEN L[2] ELSE L[1]) /\ f[2] = N
Bans == {"banned", "deleted"}
IsBan == Is({"notice", "api", "gossip"})
         \/ \E kind \in {"open", "renew", "verify", "revoke"} : IsStep /\ L[1] = kind /\ L[3] \in Bans
BanConcerns ==
    LET n == IF L[1] = "gossip" THEN Never ELSE L[2]
        user == CASE L[1] = "notice" -> "a" [] L[1] = "gossip" -> "x" [] OTHER -> ""
    IN  (n = Never \/ n >= S.session) /\ user \in {"", S.user}

Brings(kind) == Came(kind, {"granted", "foreign"})
Token == IF L[1] = "again" THEN The[5][1] ELSE IF IsAccess(The) THEN The[4][2] ELSE <<w.proc, N>>
TokenUser == IF L[1] # "again" /\ L[3] = "foreign" THEN "x"
             ELSE IF L[1] = "again" THEN The[5][2] ELSE IF IsAccess(The) THEN The[4][3] ELSE The[3]
TokenLeft == IF L[1] = "again" THEN The[5][3]
             ELSE IF L[3] = "foreign" THEN Ticks(FirstLifetime)
             ELSE IF IsAccess(The) THEN The[4][4] ELSE Ticks(L[4])
IsMinted == ~IsAccess(The)

IsCurrentLogin == S.state = "establishing" /\ N = S.session
IsCurrentRenewal == S.renewal # None /\ S.renewal.grant # None /\ N = S.renewal.n
IsCurrentAsk == S.renewal # None /\ S.renewal.grant = None /\ N = S.renewal.n
AnswersCheck == S.revocation # None /\ S.revocation.check = N
IsCurrentRevocation == IsSent(S.revocation) /\ S.revocation.n = N /\ S.revocation.check = 0
IsAcceptable == S.user \in {"", TokenUser} /\ Lives(TokenLeft)
IsLoggedIn == Brings("open") /\ IsCurrentLogin /\ IsAcceptable
IsRenewed == Brings("renew") /\ IsCurrentRenewal /\ IsAcceptable
IsCancelled == Is({"login_cancelled"}) /\ S.state \in InSession /\ N = S.session
IsFoundDead == Is({"verify"}) /\ L[3] = "refuted"

Same(changed) == A = Norm(changed)

StatesChangeAlongTheDocumentedArrowsOnly ==
    [][IsStep /\ S.state # A.state => <<S.state, A.state>> \in {
        <<"notLoggedIn", "establishing">>, <<"establishing", "established">>,
        <<"establishing", "notLoggedIn">>, <<"notLoggedIn", "established">>,
        <<"notLoggedIn", "tokenExpired">>, <<"established", "tokenExpired">>,
        <<"tokenExpired", "established">>, <<"established", "terminated">>,
        <<"tokenExpired", "terminated">>, <<"established", "notLoggedIn">>,
        <<"tokenExpired", "notLoggedIn">>, <<"terminated", "notLoggedIn">>}]_vars

TerminatedIsLeftByLogoutAlone ==
    [][IsStep /\ S.state = "terminated" /\ A.state # "terminated" => Is({"logout", "secure_logout"})]_vars

OnlyABanOrDeletionOfThisUserTerminates ==
    [][IsStep /\ A.state = "terminated" /\ S.state # "terminated" =>
        /\ IsBan /\ BanConcerns
        /\ A.ended = (IF w.done = "deleted" THEN "userDeleted" ELSE "globalBan")
        /\ \E i \in 1..Len(Out) : Out[i] = <<"tell", "terminated", A.ended>>]_vars

ABanOfThisUserIsNeverLost ==
    [][IsBan /\ BanConcerns =>
        CASE S.state = "establishing" ->
                /\ A.state = "notLoggedIn"
                /\ All("release") = <<<<"release", S.session, w.done>>>>
          [] S.state \in Live -> A.state = "terminated"
          [] OTHER -> IsDropped]_vars

ABanOfSomebodyElseOrOfAnEarlierSessionIsDropped == [][IsBan /\ ~BanConcerns => IsDropped]_vars

LogoutWorksFromEverywhere ==
    [][Is({"logout"}) => A.state = "notLoggedIn" /\ All("store") = <<<<"store", None>>>>]_vars

ASessionIsLoggedOutByLogoutAProvenRevocationOrItsLoginUndoneAlone ==
    [][IsStep /\ S.state \in Live /\ A.state = "notLoggedIn" =>
        \/ Is({"logout"})
        \/ Is({"revoke"}) /\ L[3] = "revoked" /\ IsCurrentRevocation
        \/ IsFoundDead /\ AnswersCheck
        \/ IsCancelled /\ All("tell") = <<<<"tell", "notLoggedIn", "loginCancelled">>>>]_vars

ATokenIsExpiredByTimeOrByAVerificationAlone ==
    [][IsStep /\ S.state = "established" /\ A.state = "tokenExpired" =>
        \/ Is({"token_expired"}) /\ ~Lives(S.exp)
        \/ IsFoundDead /\ N = S.check]_vars

ExpiryLetsARenewalGoOnAndAPauseLast ==
    [][Is({"token_expired"}) => Same([S EXCEPT !.state = "tokenExpired", !.check = 0])]_vars

ExpiryIsUndoneByARenewalAlone ==
    [][IsStep /\ S.state = "tokenExpired" /\ A.state = "established" => IsRenewed]_vars

ALoginIsRefusedWhereThereIsASessionOrALogin ==
    [][Is({"login"}) /\ S.state # "notLoggedIn" => IsDropped]_vars

ALoginStartsWithWhatItNeedsAndNotWithout ==
    [][Is({"login"}) /\ S.state = "notLoggedIn" =>
        LET isPossible == CASE L[2] = "accessToken" -> S.ah /\ Left(L[5]) # 0
                            [] L[2] = "development" -> Development
                            [] OTHER -> TRUE
        IN  IF ~isPossible THEN IsDropped
            ELSE /\ A.state = "establishing" /\ A.kind = L[2] /\ A.own = L[4]
                 /\ Len(All("open")) = 1 /\ All("open")[1][2] = S.attempt + 1]_vars

ALoginThatIsAnsweredIsOver ==
    [][(About("open") /\ L[1] # "again" /\ L[3] \notin Bans /\ IsCurrentLogin) \/ IsCancelled =>
        IF IsLoggedIn
        THEN A.state = "established" /\ A.token = Token /\ A.kind = S.kind
        ELSE A.state = "notLoggedIn"]_vars

AStoredSessionIsResumedAsItWasStored ==
    [][Is({"open the store"}) =>
        LET record == w.stored
            isLive == ~record[5] /\ Lives(record[4])
        IN  IF isLive \/ CanRenew(S, record[1])
            THEN /\ A.state = (IF isLive THEN "established" ELSE "tokenExpired")
                 /\ <<A.kind, A.token, A.user>> = <<record[1], record[2], record[3]>>
                 /\ A.session = S.attempt + 1
            ELSE IsDropped]_vars

ALateAnswerChangesNothing ==
    [][LET isAnswer == IsStep /\ ~IsBan
           isLate == \/ About("open") /\ ~IsCurrentLogin
                     \/ About("renew") /\ ~IsCurrentRenewal
                     \/ Is({"handler"}) /\ ~IsCurrentAsk
                     \/ Is({"verify"}) /\ N # S.check /\ ~AnswersCheck
                     \/ Is({"revoke"}) /\ ~IsCurrentRevocation
                     \/ Is({"login_cancelled"}) /\ ~IsCancelled
                     \/ Is({"rejected"}) /\ ~(S.state = "established" /\ N = S.cred)
       IN  isAnswer /\ isLate => A = S /\ \A i \in 1..Len(Out) : Out[i][1] = "revoke orphan"]_vars

ATokenIsUsedOrInUseOrRevoked ==
    [][LET isOrphan == Is({"orphan"}) \/ (Is({"again"}) /\ L[2] = "orphan")
           orphan == IF L[1] = "again" THEN (CHOOSE f \in w.net : f[2] = N /\ f[5] # None)[5][1]
                     ELSE (CHOOSE f \in w.net : f[1] = "orphan" /\ f[2] = N)[5][1]
           mine == All("revoke orphan")
       IN  CASE Brings("open") \/ Brings("renew") ->
                    mine = IF IsMinted /\ A.token # Token THEN <<<<"revoke orphan", Token>>>> ELSE <<>>
             [] isOrphan -> mine = IF A.token = orphan THEN <<>> ELSE <<<<"revoke orphan", orphan>>>>
             [] IsCancelled /\ S.token # None ->
                    mine = IF S.kind = "accessToken" THEN <<>> ELSE <<<<"revoke orphan", S.token>>>>
             [] OTHER -> mine = <<>>]_vars

ACredentialIsReplacedByAnAcceptedAnswerAlone ==
    [][IsStep /\ S.state \in Live /\ A.state \in Live =>
        IF IsRenewed
        THEN /\ A.token = Token /\ A.cred = N /\ A.state = "established"
             /\ <<A.kind, A.user, A.session, A.own>> = <<S.kind, S.user, S.session, S.own>>
        ELSE A.token = S.token /\ A.cred = S.cred]_vars

InFlight(s) ==
    (IF s.state = "establishing" THEN {s.session} ELSE {})
    \cup (IF s.renewal = None THEN {} ELSE {s.renewal.n})
    \cup ({s.check} \ {0})
    \cup (IF s.revocation = None THEN {} ELSE {s.revocation.n})
Begun(s) == InFlight(s) \cup (IF s.revocation = None THEN {} ELSE {s.revocation.check} \ {0})

WhatStartsHasANumberThatWasNeverGivenOut ==
    [][IsStep =>
        LET begun == Begun(A) \ Begun(S)
        IN  begun # {} => A.attempt \in begun /\ \A n \in begun : n > S.attempt /\ n <= A.attempt]_vars

WhatEndsReleasesItsWaitersExactlyOnce ==
    [][IsStep => LET ended == InFlight(S) \ InFlight(A)
                     told == All("release")
                 IN  Len(told) = Cardinality(ended) /\ {told[i][2] : i \in 1..Len(told)} = ended]_vars

WaitersHearOfSuccessExactlyWhereThereIsOne ==
    [][IsStep => \A i \in 1..Len(All("release")) :
        LET told == All("release")[i]
            isSuccess == CASE S.state = "establishing" -> A.state = "established"
                           [] S.renewal # None /\ told[2] = S.renewal.n -> A.cred = told[2]
                           [] S.revocation # None /\ told[2] = S.revocation.n ->
                                (Is({"revoke"}) /\ L[3] = "revoked") \/ IsFoundDead
                           [] OTHER -> TRUE
        IN  isSuccess <=> told[3] = ""]_vars

OnlyALoginPresentsAGrantAtLogin == [][IsStep /\ Has("open") => Is({"login"}) /\ Len(All("open")) = 1]_vars

AtMostOneRenewalStartsAndOnlyWhileNoneIsInFlight ==
    [][IsStep /\ (Has("ask") \/ Has("renew")) =>
        LET begun == All("ask") \o All("renew")
        IN  /\ Len(begun) = 1 /\ A.renewal # None /\ begun[1][2] = A.renewal.n
            /\ Has("renew") => All("renew")[1][3] = A.renewal.grant
            /\ IF S.renewal = None THEN S.revocation = None /\ A.renewal.n = S.attempt + 1
               ELSE /\ Is({"handler"}) /\ Has("renew")
                    /\ S.renewal.grant = None /\ S.renewal.n = A.renewal.n]_vars

ARenewalThatWasSentEndsByItsAnswerOrWithTheSessionAlone ==
    [][IsStep /\ S.renewal # None /\ S.renewal.grant # None =>
        \/ A.renewal = S.renewal
        \/ A.renewal = None /\ (A.state \notin Live \/ (About("renew") /\ N = S.renewal.n))]_vars

ARenewalInFlightWasAskedOfSomebody ==
    [][IsStep /\ A.renewal # None /\ A.renewal # S.renewal =>
        IF A.renewal.grant = None THEN All("ask") = <<<<"ask", A.renewal.n>>>>
        ELSE All("renew") = <<<<"renew", A.renewal.n, A.renewal.grant>>>>]_vars

NobodyIsAskedOutsideASession ==
    [][IsStep /\ (Has("ask") \/ Has("renew") \/ Has("verify") \/ Has("revoke")) =>
        S.state \in Live /\ A.state \in Live]_vars

ATokenThatIsShownToThePlatformIsAliveOrTheOneToBeJudged ==
    [][IsStep =>
        /\ \A i \in 1..Len(All("open")) : All("open")[i][3][1] = "access" => Lives(All("open")[i][3][4])
        /\ Is({"renewal_due"}) => \A i \in 1..Len(All("renew")) :
                All("renew")[i][3][1] = "access" => Lives(All("renew")[i][3][4])
        /\ \A i \in 1..Len(All("verify")) : All("verify")[i][3] = S.token
        /\ \A i \in 1..Len(All("revoke")) : All("revoke")[i][3] = S.token]_vars

ARenewalStartsWhenItsTimeHasComeAndNotBefore ==
    [][Is({"renewal_due"}) =>
        /\ S.renewal = None /\ S.revocation = None
        /\ IF S.retry # None THEN S.retry.left <= 0
           ELSE S.state = "tokenExpired" \/ (S.renew # Never /\ S.renew <= 0)]_vars

IsYoung(retry) ==
    retry # None /\ retry.grant # None
    /\ IF retry.grant[1] = "access" THEN Lives(retry.grant[4]) ELSE retry.age < Young

ARenewalPresentsWhatIsStillYoungOrAsksOrDoesWithout ==
    [][Is({"renewal_due"}) =>
        /\ A.renewal # None /\ CanRenew(S, S.kind)
        /\ CASE IsYoung(S.retry) -> A.renewal.grant = S.retry.grant /\ A.renewal.age = S.retry.age
             [] ~IsYoung(S.retry) /\ (S.kind = "accessToken" \/ S.own \/ S.sh) ->
                    A.renewal.grant = None /\ A.renewal.left = Answer
             [] OTHER -> A.renewal.grant # None /\ A.renewal.grant[1] \notin {"auth", "access"}]_vars

WhatTheHandlerAnswersIsPresented ==
    [][Is({"handler"}) /\ L[3] # "unable" /\ IsCurrentAsk =>
        All("renew") = <<<<"renew", N, Brought(L[3], N)>>>> /\ A.renewal.age = 0]_vars

Pauses(left, keepsGrant) ==
    /\ A.renewal = None /\ A.retry # None /\ A.state = S.state
    /\ A.retry.left \in left /\ A.retry.why # ""
    /\ A.retry.grant = IF keepsGrant THEN S.renewal.grant ELSE None

ARenewalThatWillNotGetBetterPausesTheAsking ==
    [][\/ Is({"answer_overdue"})
       \/ Is({"handler"}) /\ L[3] = "unable" /\ IsCurrentAsk
       \/ Brings("renew") /\ IsCurrentRenewal /\ ~IsAcceptable
       \/ Came("renew", {"refused"}) /\ IsCurrentRenewal
       => Pauses({Pause}, FALSE)]_vars

ARenewalThatMayGetBetterIsRepeatedWithinTheBackoff ==
    [][Came("renew", {"lost"}) /\ IsCurrentRenewal => Pauses({1}, TRUE)]_vars

ARenewedTokenIsRenewedAsPlannedOrAfterARespiteIfItCameLate ==
    [][IsRenewed => IF A.renew = Never \/ A.renew > 0 THEN A.retry = None
                    ELSE A.retry # None /\ A.retry.left = Min(Pause, TokenLeft \div 2)]_vars

AskingToRenewEndsAPauseAndDisturbsNothingInFlight ==
    [][Is({"renew_now"}) =>
        IF S.state \notin Live \/ S.revocation # None \/ ~CanRenew(S, S.kind) THEN IsDropped
        ELSE IF S.renewal # None THEN A = S
        ELSE LET again == IF S.retry = None THEN Retry(0, "", None, 0) ELSE S.retry
             IN  Same([S EXCEPT !.retry = Retry(0, "", again.grant, again.age)])]_vars

TheClientsHandlersStayUntilTheClientChangesThem ==
    [][IsStep => IF Is({"handlers_changed"}) THEN Same([S EXCEPT !.sh = L[2], !.ah = L[3]])
                 ELSE A.sh = S.sh /\ A.ah = S.ah]_vars

ARejectionIsVerifiedOnceAndOnlyIfNothingElseWillTell ==
    [][Is({"rejected"}) /\ S.state = "established" /\ N = S.cred =>
        IF S.renewal # None \/ S.check # 0 \/ S.revocation # None THEN IsDropped
        ELSE A.check = S.attempt + 1 /\ All("verify") = <<<<"verify", S.attempt + 1, S.token>>>>]_vars

AVerificationStartsForARejectionOrADoubtAlone ==
    [][IsStep /\ Has("verify") =>
        Len(All("verify")) = 1 /\ (Is({"rejected"}) \/ (Is({"revoke"}) /\ L[3] = "doubted"))]_vars

AVerificationBelievesThePlatformAndNothingLess ==
    [][Is({"verify"}) /\ L[3] \notin Bans /\ N = S.check =>
        Same([S EXCEPT !.check = 0, !.state = IF L[3] = "refuted" THEN "tokenExpired" ELSE @])]_vars

ASecureLogoutStartsOnceOrHasNothingToRevoke ==
    [][Is({"secure_logout"}) =>
        CASE S.state = "establishing" -> IsDropped
          [] S.state \in {"notLoggedIn", "terminated"} ->
                A.state = "notLoggedIn" /\ All("store") = <<<<"store", None>>>>
          [] S.state \in Live /\ S.revocation # None -> A = S /\ ~IsDropped /\ Out = <<>>
          [] OTHER -> Same([S EXCEPT !.revocation = Revocation(S.attempt + 1, Wait, 0),
                                     !.attempt = @ + 1,
                                     !.renewal = IF @ # None /\ @.grant = None THEN None ELSE @])]_vars

ARevocationIsSentOnceWhenNothingHoldsItUp ==
    [][IsStep => IF ~Is({"revocation_due"}) THEN ~Has("revoke")
                 ELSE /\ S.revocation # None /\ ~IsSent(S.revocation)
                      /\ IF S.renewal # None THEN S.revocation.left <= 0 /\ ~Has("revoke")
                         ELSE /\ IsSent(A.revocation)
                              /\ All("revoke") = <<<<"revoke", S.revocation.n, S.token>>>>]_vars

ADoubtedRevocationIsCheckedByOneVerification ==
    [][Is({"revoke"}) /\ L[3] = "doubted" /\ IsCurrentRevocation =>
        /\ All("verify") = <<<<"verify", S.attempt + 1, S.token>>>>
        /\ Same([S EXCEPT !.attempt = @ + 1, !.revocation = Revocation(@.n, Never, S.attempt + 1)])]_vars

ARevocationThatFailedLeavesTheSessionAsItWas ==
    [][\/ Is({"revoke"}) /\ L[3] \in {"lost", "lost after"} /\ IsCurrentRevocation
       \/ Is({"verify"}) /\ L[3] \in {"lost", "confirmed"} /\ AnswersCheck
       \/ Is({"revocation_due"}) /\ S.renewal # None
       => Same([S EXCEPT !.revocation = None])]_vars

ARevocationThatIsProvenLogsOut ==
    [][\/ Is({"revoke"}) /\ L[3] = "revoked" /\ IsCurrentRevocation
       \/ IsFoundDead /\ AnswersCheck
       => A.state = "notLoggedIn" /\ All("tell") = <<<<"tell", "notLoggedIn", "secureLogout">>>>]_vars

ObserversAreToldExactlyWhenTheStateChanges ==
    [][IsStep => IF A.state = S.state THEN ~Has("tell")
                 ELSE Len(All("tell")) = 1 /\ All("tell")[1][2] = A.state]_vars

WhatHasToBeStoredIsStored ==
    [][IsStep =>
        LET stored == All("store")
            Which(record) == IF record = None THEN None ELSE <<record[2], record[5]>>
        IN  /\ Len(stored) <= 1
            /\ \A i \in 1..Len(stored) : stored[i][2] = RecordOf(A)
            /\ Which(RecordOf(A)) # Which(RecordOf(S)) => Len(stored) = 1]_vars

ItIsStoredThenToldThenActedUpon ==
    [][IsStep =>
        LET Place(word) == CASE word = "store" -> 0 [] word = "tell" -> 1 [] word = "hook" -> 2 [] OTHER -> 3
        IN  \A i \in 1..(Len(Out) - 1) : Place(Out[i][1]) <= Place(Out[i + 1][1])]_vars

HooksRunOnceAtTheirOccasion ==
    [][IsStep =>
        LET hooks == (IF S.state = "establishing" /\ A.state = "established" THEN <<"on_login">> ELSE <<>>)
                \o (IF S.state \in Live /\ A.state \in Live /\ S.cred # A.cred THEN <<"on_renewal">> ELSE <<>>)
                \o (IF A.state = "terminated" /\ S.state # "terminated" THEN <<"on_ban">> ELSE <<>>)
                \o (IF A.state = "notLoggedIn" /\ S.state \in Live \cup {"terminated"}
                    THEN <<"on_logout">> ELSE <<>>)
            user == IF A.user # "" THEN A.user ELSE S.user
        IN  All("hook") = [i \in 1..Len(hooks) |-> <<"hook", hooks[i], user>>]]_vars

ADroppedStepChangesNothing == [][IsDropped => A = S /\ Out = <<>>]_vars

ASecureLogoutThatSucceedsLeavesNoTokenBehind ==
    [][Is({"revoke", "verify"}) /\ S.state \in Live /\ A.state = "notLoggedIn" =>
        L[3] = "revoked" \/ w.void \/ S.state = "tokenExpired"]_vars

WhatAKilledProcessLeavesIsWhatWasToldLastOrComesAfterIt ==
    [][L[1] = "kill" =>
        LET left == IF w.stored = None THEN None ELSE <<w.stored[2], w.stored[5]>>
        IN  left = w.told \/ \E i \in 1..Len(w.outbox) : left = w.outbox[i][2]]_vars

WhatIsToldIsStored ==
    [][L[1] = "tell" => w'.told = IF w.stored = None THEN None ELSE <<w.stored[2], w.stored[5]>>]_vars

AProcessGoesOnWithWhatIsStored ==
    [][L[1] = "open the store" /\ w.stored # None =>
        IF (w.stored[5] \/ ~Lives(w.stored[4])) /\ ~CanRenew(S, w.stored[1])
        THEN A = S /\ w'.stored = w.stored
        ELSE /\ <<A.kind, A.token>> = <<w.stored[1], w.stored[2]>>
             /\ w.stored[5] => A.state = "tokenExpired"]_vars

=============================================================================
