------------------------------- MODULE Trace -------------------------------
(***************************************************************************)
(* What the sessions of real drivers went through, followed by the model.  *)
(* A trace is a list of entries, in the order in which they were recorded. *)
(* Each must be a step of the model, with the same name, outcome, commands *)
(* and session; between two of them the model may do what no session hears *)
(* of: the platform voids a token or bans somebody, an empty store is      *)
(* opened, a hook sets out. A trace that cannot be followed to its end is  *)
(* of a driver that does not do what the model says.                       *)
(*                                                                         *)
(* `Recorded` is written for each run by `traces.py`: `Traces`, of which   *)
(* the beginning chooses one; and `Stuck`, after how many entries to print *)
(* what the model has there, or Never. They are no constants, for those    *)
(* TLC works out anew wherever they are named.                             *)
(***************************************************************************)
EXTENDS Session, Recorded

VARIABLES trace, at, begun  \* which; how much of it was followed; hooks that are under way

Begin == Init /\ trace \in DOMAIN Traces /\ at = 0 /\ begun = <<>>

Entry == Traces[trace][at + 1]
Is(word) == at < Len(Traces[trace]) /\ Entry[1] = word

(* Several names, where a session does not hear which of them it was.      *)
HearsOf ==
    /\ Is("step")
    /\ Next
    /\ edge'[2] = Entry[3]
    /\ \E n \in DOMAIN Entry[2] : edge'[1] = Entry[2][n]
    /\ edge'[3] = Entry[4]
    /\ SessionView' = Entry[5]
    /\ UNCHANGED begun

(* As much time as passed between two looks at the clock, at once, also    *)
(* while nobody is logged in: there `Session` leaves it out.               *)
PassesTime ==
    /\ Is("time")
    /\ ~IsDue(w.s)
    /\ Happened(OlderWorld(2 * Entry[2]), <<"time">>)
    /\ UNCHANGED begun

Owes == IF w.outbox = <<>> THEN None ELSE Head(w.outbox)[1]
CarriesOut == Is("done") /\ Owes = Entry[2] /\ CarryOut /\ UNCHANGED begun
BeginsHook == Owes # None /\ Owes[1] = "hook" /\ CarryOut /\ begun' = Append(begun, Owes)
CallsHook ==
    /\ Is("called")
    /\ begun # <<>>
    /\ Head(begun) = Entry[2]
    /\ begun' = Tail(begun)
    /\ UNCHANGED vars

(* What the platform does unheard, it may have done at any time since. The  *)
(* last moment at which it matters is as good as any: nothing that came    *)
(* before would have been otherwise.                                       *)
MayHaveHappened ==
    /\ Is("may")
    /\ \/ UNCHANGED vars
       \/ (Void \/ EndUser) /\ edge'[1] = Entry[2]
    /\ UNCHANGED begun

Dies == Is("kill") /\ Kill /\ begun' = <<>>
HasDoneAll == Is("end") /\ w.outbox = <<>> /\ begun = <<>> /\ UNCHANGED <<vars, begun>>
FindsNothing == ~w.open /\ w.stored = None /\ OpenStore

Follow ==
    /\ HearsOf \/ MayHaveHappened \/ PassesTime \/ CarriesOut \/ CallsHook \/ Dies \/ HasDoneAll
    /\ at' = at + 1
    /\ PrintT(ToString(<<trace, at'>>))
    /\ UNCHANGED trace

Meanwhile ==
    /\ \/ FindsNothing /\ UNCHANGED begun
       \/ BeginsHook
    /\ UNCHANGED <<trace, at>>

(* What the model has where a trace cannot be followed, for who reads.     *)
Wonder ==
    /\ at = Stuck
    /\ \/ PrintT(ToString(<<"owes", Owes, begun>>))
       \/ Next /\ PrintT(ToString(<<"does", edge', SessionView'>>))
    /\ FALSE
    /\ UNCHANGED <<vars, trace, at, begun>>

FollowOn == Follow \/ Meanwhile \/ Wonder
TraceView == <<View, trace, at, begun>>
=============================================================================
