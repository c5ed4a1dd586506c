------------------------------ MODULE Liveness ------------------------------
(***************************************************************************)
(* What does not last for ever. A property has the name of the sentence    *)
(* that says the same of the code, written without spaces.                 *)
(*                                                                         *)
(* What happens by itself is taken for granted, and nothing else: neither  *)
(* the user, nor the app and its handlers, nor what the platform makes of  *)
(* a request. It is said of states and of the words of labels, so that TLC *)
(* need not find out again and again whether a whole step is possible; and *)
(* each sentence is of the form "again and again", which TLC looks for     *)
(* without a tableau.                                                      *)
(***************************************************************************)
EXTENDS Properties

VARIABLE again                     \* turns when a step leads nowhere new, lest it look like none
live == <<w, edge, again>>

Words == {"tick", "open", "renew", "verify", "revoke", "orphan", "notice", "store", "tell"}
Word(e) == IF e # None /\ e[1][1] \in Words THEN e[1][1] ELSE ""
LiveView == <<w, Word(edge), again>>

LiveSpec ==
    /\ Init /\ again = FALSE
    /\ [][Next /\ again' = IF w' = w /\ Word(edge') = Word(edge) THEN ~again ELSE FALSE]_live

(* What is due comes before all else, but only for a moment: it takes      *)
(* nobody's turn away.                                                     *)
IsPressed == IsDue(w.s) \/ IsBehind

(* What happens by itself, when there is something of the kind.            *)
IsUnanswered(kind) == w.open /\ \E f \in Of(kind) : f[5] = None
IsOwed(words) == w.outbox # <<>> /\ Head(w.outbox)[1][1] \in words
MayHappen(word) ==
    CASE word = "tick" -> TimePasses
      [] word \in {"open", "renew"} -> IsUnanswered(word)
      [] word \in {"verify", "revoke", "orphan"} -> w.open /\ Of(word) # {}
      [] word = "notice" -> w.open /\ w.done # "" /\ w.notices # {}
      [] word = "store" -> IsOwed({"store"})
      [] word = "tell" -> IsOwed({"tell", "hook"})

(* Some message of each kind arrives in the end: of a kind, not each one,  *)
(* which is less.                                                          *)
Fair == \A word \in Words : []<><<Word(edge') = word \/ (~IsPressed /\ ~MayHappen(word))>>_live

(* For a test: what is taken for granted can indeed happen.                *)
TellWhatMayHappen == PrintT(ToString(<<View, {word \in Words : ~IsPressed /\ MayHappen(word)}>>))

(* The last number was given out: the bounded world may stop here.         *)
IsOver == w.s.attempt = MostAttempts

IsNewAttempt == A.renewal # None /\ (S.renewal = None \/ S.renewal.n # A.renewal.n)

WhatIsPressingIsOnlyForAMoment == []<><<TRUE>>_live => []<><<~IsPressed>>_live

ALoginEnds == Fair => []<><<S.state # "establishing">>_live

ARenewalEnds == Fair => []<><<S.renewal = None \/ IsNewAttempt>>_live

AVerificationEnds == Fair => []<><<S.check = 0>>_live

ASecureLogoutEnds == Fair => []<><<S.revocation = None>>_live

ATokenIsReplacedBeforeItIsDeadOrToldToBe ==
    Fair => []<><<S.state # "established" \/ S.exp = Never \/ S.cred # A.cred \/ IsOver>>_live

AnExpiredSessionThatCanBeRenewedTriesAgain ==
    Fair => []<><<\/ S.state # "tokenExpired" \/ S.revocation # None \/ ~CanRenew(S, S.kind)
                  \/ IsNewAttempt \/ IsOver>>_live

ABanOfWhichThePlatformTellsEndsTheSession ==
    Fair => []<><<S.state \notin InSession \/ S.session \notin w.notices>>_live

WhatIsCommittedIsStoredAndTold == Fair => []<><<w.outbox = <<>> \/ Word(edge') \in {"store", "tell"}>>_live

(***************************************************************************)
(* What is not promised, since it takes somebody's help. TLC has to find   *)
(* that each of these can fail.                                            *)
(***************************************************************************)
AnExpiredSessionIsRenewedOrEnded == Fair => []<><<S.state # "tokenExpired" \/ IsOver>>_live

ATokenThatThePlatformHasVoidedIsFoundOut ==
    Fair => []<><<~w.void \/ S.state # "established" \/ IsOver>>_live

ABannedUsersSessionEnds ==
    Fair => []<><<w.done = "" \/ S.user # "a" \/ S.state \notin Live \/ IsOver>>_live

ATerminatedSessionIsLeft == Fair => []<><<S.state # "terminated" \/ IsOver>>_live
=============================================================================
