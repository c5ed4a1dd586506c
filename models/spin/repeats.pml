/*
 * The slice `repeats`, and what the names in the chart mean in it: a third time, for another checker.
 * Nothing here is made from `_rules.py` or from the model in TLA+. What a step does is in `table.pml`,
 * which is made from the life cycle that runs; `figures.pml` is made from the slice.
 *
 * What this slice never comes to is not here. There is one kind of session, by auth token; one user,
 * "a", who has a handler all the time; "x" is somebody else. Every token is minted by the platform, and
 * has the number of the attempt that it was minted for. Nothing is verified, revoked, banned or stored.
 *
 * Times count from now, in half ticks. An even number is a whole number of ticks away, an odd one lies
 * within a tick.
 */
#include "figures.pml"

#define NEVER   -1
#define FAR     1000
#define TICK    2
#define NOBODY  0
#define A       1
#define X       2

mtype = { notLoggedIn, establishing, established, tokenExpired, terminated };
mtype = { login, loggedIn, loginFailed, tokenRenewed, logout };
mtype = { on_login, on_renewal, on_logout };
mtype = { session_opened, login_failed, token_renewed, renewal_failed, token_orphaned };
mtype = { renewal_due, renewal_answered, renewal_unable, answer_overdue, token_expired };
mtype = { unreachable, unable, noAnswer, wrongUser, expiredOnArrival, loggedOut };
mtype = { open, renew, ask, release, revoke_token, a_record, no_record };
mtype = { due, tick, granted, lost, foreign, again, again_as_orphan, no_more, brought };

/* ── The session, and what is on its way ─────────────────────────────────────────────────────── */

typedef Renewal { byte n; bool is_sent; short left; short age };
typedef Retry { bool is_planned; bool has_grant; short left; mtype why; short age };
typedef Flight { mtype kind; bool came; short left };

mtype state = notLoggedIn;
byte user = NOBODY;
byte attempt, session, cred, token;
short expires, renews;
Renewal renewal;     /* n is 0 if there is none */
Retry retry;
Flight net[MOST_ATTEMPTS + 2];  /* by the attempt; what came already may come again */

/* What happens next, and of which attempt. */
mtype what;
byte n;

/* What is of no interest once a step is over. */
hidden mtype event, why, reason, hook, stores;
hidden byte taken, e_user, whose, i, late, many, printed; /* Spin hides no bool */
hidden short e_left;
hidden mtype out_what[2], out_why[2];
hidden byte out_n[2];

/* ── What time brings ────────────────────────────────────────────────────────────────────────── */

#define IS_LIVE     (state == established || state == tokenExpired)
#define DIES        (state == established -> expires : FAR)
#define PLANNED     (retry.is_planned -> retry.left : (state == tokenExpired -> 0 : renews))
#define TO_RENEW    (!renewal.n && PLANNED < DIES)
#define TO_GIVE_UP  (renewal.n && !renewal.is_sent && renewal.left < DIES)
#define COMING      (TO_RENEW -> PLANNED : (TO_GIVE_UP -> renewal.left : DIES))
#define IS_DUE      (IS_LIVE && COMING <= 0)

#define OLDER(age)  (age + TICK < YOUNG -> age + TICK : YOUNG)
#define LESS(left)  (left > TICK -> left - TICK : 0)

/* How long something has been overdue matters only beside a token that expired at the same moment. */
#define IS_ALIVE    (state != established || expires > 0)

inline normalise() {
    if
    :: renews < 0 && (renewal.n || retry.is_planned || IS_ALIVE) -> renews = 0
    :: else
    fi;
    if
    :: retry.left < 0 && (renewal.n || IS_ALIVE) -> retry.left = 0
    :: else
    fi;
    if
    :: state != established -> renews = 0; expires = 0
    :: else
    fi
}

inline time_passes() {
    if
    :: state == established -> expires = expires - TICK; renews = renews - TICK
    :: else
    fi;
    if
    :: renewal.n && renewal.is_sent -> renewal.age = OLDER(renewal.age)
    :: renewal.n && !renewal.is_sent -> renewal.left = renewal.left - TICK
    :: else
    fi;
    if
    :: retry.is_planned -> retry.left = retry.left - TICK
    :: else
    fi;
    if
    :: retry.has_grant -> retry.age = OLDER(retry.age)
    :: else
    fi;
    normalise();
    for (i : 1 .. MOST_ATTEMPTS) {
        net[i].left = LESS(net[i].left)
    }
}

/* ── Guards ──────────────────────────────────────────────────────────────────────────────────── */

#define has_auth_token_or_development  true
#define is_current_login    (n == session)
#define is_acceptable       ((user == NOBODY || user == e_user) && e_left > 0)
#define is_minted           (n != token)
#define is_in_use           (n == token)
#define is_current_ask      (renewal.n && renewal.n == n && !renewal.is_sent)
#define is_current_renewal  (renewal.n && renewal.n == n && renewal.is_sent)
#define is_retryable        (why == unreachable)
#define has_grant_to_resend (retry.has_grant && retry.age < YOUNG)
#define asks_handler        true

/* ── Reactions ───────────────────────────────────────────────────────────────────────────────── */

inline say(command, number, because) {
    out_what[many] = command; out_n[many] = number; out_why[many] = because;
    many++
}
inline sets_out(number, what_for) {
    net[number].kind = what_for;
    say(what_for, number, 0)
}
inline no_renewal() { renewal.n = 0; renewal.is_sent = false; renewal.left = 0; renewal.age = 0 }
inline no_retry() {
    retry.is_planned = false; retry.has_grant = false; retry.left = 0; retry.why = 0; retry.age = 0
}
inline forget() {
    user = NOBODY; cred = 0; token = 0; expires = 0; renews = 0;
    no_renewal();
    no_retry()
}
inline use() {
    token = n; cred = n; expires = e_left; renews = e_left - LIFE / 2
}

inline start_login() { attempt++; session = attempt; user = A; sets_out(attempt, open) }
inline adopt_credential() { user = e_user; use(); say(release, n, 0) }
inline fail_login() { say(release, session, why); forget() }
inline store_record() { stores = a_record }
inline forget_record() { stores = no_record }
inline revoke_orphan() { say(revoke_token, n, 0) }

inline ask_handler() {
    attempt++;
    no_retry();
    renewal.n = attempt; renewal.left = ANSWER;
    say(ask, attempt, 0)
}
inline present(number, how_old) {
    renewal.n = number; renewal.is_sent = true; renewal.left = NEVER; renewal.age = how_old;
    no_retry();
    sets_out(number, renew)
}
inline resend_grant() { attempt++; present(attempt, retry.age) }
inline send_renewal() { present(n, 0) }
inline renew_unaided() { assert(false) /* a session by auth token has to be given another one */ }

inline replace_credential() {
    use();
    no_renewal();
    no_retry();
    assert(renews > 0); /* every token is granted for so long that it need not be renewed at once */
    say(release, n, 0)
}
inline back_off() {
    retry.is_planned = true; retry.left = 1; retry.why = why;
    retry.has_grant = true; retry.age = renewal.age;
    say(release, renewal.n, why);
    no_renewal()
}
inline pause_asking() {
    if
    :: renewal.n ->
        no_retry();
        retry.is_planned = true; retry.left = PAUSE; retry.why = why;
        say(release, renewal.n, why);
        no_renewal()
    :: else
    fi
}
inline end_verification() { skip /* there is none */ }
inline end_session() {
    if
    :: renewal.n -> say(release, renewal.n, why)
    :: else
    fi;
    forget()
}

/* ── One step ────────────────────────────────────────────────────────────────────────────────── */

inline note_why() {
    if
    :: event == login_failed || event == renewal_failed -> why = unreachable
    :: event == renewal_unable -> why = unable
    :: event == answer_overdue -> why = noAnswer
    :: (event == session_opened || event == token_renewed) && user != NOBODY && user != e_user -> why = wrongUser
    :: (event == session_opened || event == token_renewed) && (user == NOBODY || user == e_user) ->
        why = expiredOnArrival
    :: else -> why = loggedOut
    fi
}

/* A row of the table is taken. */
inline take(target, because, runs) {
    taken = true; state = target; reason = because; hook = runs
}

#include "table.pml"

#define IS_AWAITED(number)  ((state == establishing && number == session) || number == renewal.n)

inline drop(number) { net[number].kind = 0; net[number].came = false; net[number].left = 0 }

/* Of what nobody waits for any more, the newest alone may stay on its way. */
inline lose() {
    late = 0;
    i = MOST_ATTEMPTS + 1;
    do
    :: i == 0 -> break
    :: else ->
        if
        :: net[i].kind && !IS_AWAITED(i) ->
            late++;
            if
            :: late > MOST_LATE -> drop(i)
            :: else
            fi
        :: else
        fi;
        i--
    od
}

inline hear() {
    taken = false; reason = 0; hook = 0; stores = 0; many = 0;
    whose = user;
    note_why();
    step();
    if
    :: taken -> whose = (user == NOBODY -> whose : user); normalise(); lose()
    :: else
    fi
}

/* ── What is printed: an edge a line, as TLC writes it ───────────────────────────────────────── */

inline separate() {
    if
    :: printed -> printf(", ")
    :: else
    fi;
    printed++
}
inline print_word(word) {
    printf("\"");
    if
    :: word == revoke_token -> printf("revoke orphan")
    :: word && word != revoke_token -> printm(word)
    :: else
    fi;
    printf("\"")
}
inline print_user(who) {
    if
    :: who == NOBODY -> printf("\"\"")
    :: who == A -> printf("\"a\"")
    :: who == X -> printf("\"x\"")
    fi
}
inline print_grant(is_there) {
    if
    :: is_there -> printf("<<\"auth\", \"a\">>")
    :: else -> printf("<<>>")
    fi
}

inline print_session() {
    printf("<<"); print_word(state);
    if
    :: user == NOBODY -> printf(", \"\", ")
    :: else -> printf(", \"authToken\", ")
    fi;
    print_user(user);
    printf(", <<%d, %d, %d>>", attempt, session, cred);
    if
    :: token -> printf(", <<<<0, %d>>, %d, %d>>", token, expires, renews)
    :: else -> printf(", <<>>")
    fi;
    if
    :: renewal.n ->
        printf(", <<%d, %d, ", renewal.n, renewal.left); print_grant(renewal.is_sent);
        printf(", %d>>", renewal.age)
    :: else -> printf(", <<>>")
    fi;
    if
    :: retry.is_planned ->
        printf(", <<%d, ", retry.left); print_word(retry.why); printf(", "); print_grant(retry.has_grant);
        printf(", %d>>", retry.age)
    :: else -> printf(", <<>>")
    fi;
    /* nothing verified, nothing revoked, no ban, and the app's own handler */
    printf(", 0, <<>>, \"\", <<TRUE, FALSE, FALSE>>>>")
}

/* What a caller who needs a header gets, unless something is due. */
inline print_authorization() {
    if
    :: IS_DUE -> printf("<<>>")
    :: else ->
        if
        :: state == established -> printf("<<\"granted\", %d>>", cred)
        :: state == establishing -> printf("<<\"waiting\", %d>>", session)
        :: state == tokenExpired && renewal.n -> printf("<<\"waiting\", %d>>", renewal.n)
        :: state == tokenExpired && !renewal.n ->
            assert(retry.is_planned); /* or it would be due */
            printf("<<\"denied\", "); print_word(retry.why); printf(", %d, \"\">>", retry.left)
        :: else -> printf("<<\"denied\", \"\", -1, \"\">>")
        fi
    fi
}

inline print_net() {
    printf("{");
    printed = 0;
    for (i : 1 .. MOST_ATTEMPTS) {
        if
        :: net[i].kind ->
            separate();
            printf("<<"); print_word(net[i].kind); printf(", %d, \"a\", ", i); print_grant(true);
            if
            :: net[i].came -> printf(", <<<<0, %d>>, \"a\", %d>>>>", i, net[i].left)
            :: else -> printf(", <<>>>>")
            fi
        :: else
        fi
    }
    printf("}")
}

inline print_view() {
    printf("<<"); print_session(); printf(", "); print_authorization(); printf(", "); print_net();
    /* no token voided, no user banned, no notice of it; one process, whose store is open and of no interest */
    printf(", <<FALSE, \"\", {}>>, <<0, TRUE, <<>>, <<>>, <<>>>>>>")
}

inline print_command(which) {
    printf("<<"); print_word(out_what[which]);
    if
    :: out_what[which] == revoke_token -> printf(", <<0, %d>>>>", out_n[which])
    :: out_what[which] == ask -> printf(", %d>>", out_n[which])
    :: out_what[which] == release ->
        printf(", %d, ", out_n[which]); print_word(out_why[which]); printf(">>")
    :: out_what[which] == open || out_what[which] == renew ->
        printf(", %d, ", out_n[which]); print_grant(true); printf(">>")
    fi
}

inline print_record() {
    if
    :: stores == no_record -> printf("<<>>")
    :: stores == a_record ->
        printf("<<\"authToken\", <<0, %d>>, ", token); print_user(user);
        if
        :: state == tokenExpired -> printf(", 0, TRUE>>")
        :: else -> printf(", %d, FALSE>>", expires)
        fi
    fi
}

/* What is to be stored comes first, then what is told, then all else in its order. */
inline print_commands() {
    printed = 0;
    printf("<<");
    if
    :: stores ->
        separate();
        printf("<<\"store\", "); print_record(); printf(">>")
    :: else
    fi;
    if
    :: reason ->
        separate();
        printf("<<\"tell\", "); print_word(state); printf(", "); print_word(reason); printf(">>")
    :: else
    fi;
    if
    :: hook ->
        separate();
        printf("<<\"hook\", "); print_word(hook); printf(", "); print_user(whose); printf(">>")
    :: else
    fi;
    i = 0;
    do
    :: i == many -> break
    :: else ->
        separate();
        print_command(i);
        i++
    od;
    printf(">>")
}

/* ── The world ───────────────────────────────────────────────────────────────────────────────── */

/* What the platform answers to a request, or says once more. */
inline comes(to_open, to_renew) {
    if
    :: net[n].kind == open -> event = to_open
    :: net[n].kind == renew -> event = to_renew
    fi
}

/* The middle of the line, too: what happens, and what the session makes of it. */
inline happen() {
    event = 0; e_user = A; e_left = LIFE; taken = false; many = 0; stores = 0; reason = 0; hook = 0;
    printf("<<"); print_view(); printf(", <<<<\"");
    if
    :: what == due ->
        event = (TO_RENEW -> renewal_due : (TO_GIVE_UP -> answer_overdue : token_expired));
        printm(event); printf("\"")
    :: what == tick -> printf("tick\""); time_passes()
    :: what == login -> event = login; printf("login\", \"authToken\", \"a\", FALSE")
    :: what == logout -> event = logout; printf("logout\"")
    :: what == brought -> event = renewal_answered; printf("handler\", %d, \"auth token\"", n)
    :: what == unable -> event = renewal_unable; printf("handler\", %d, \"unable\"", n)
    :: what == granted ->
        comes(session_opened, token_renewed);
        printm(net[n].kind); printf("\", %d, \"granted\", %d", n, LIFE / TICK);
        net[n].came = true; net[n].left = LIFE
    :: what == foreign ->
        comes(session_opened, token_renewed);
        printm(net[n].kind); printf("\", %d, \"foreign\"", n);
        e_user = X; drop(n)
    :: what == lost ->
        comes(login_failed, renewal_failed);
        printm(net[n].kind); printf("\", %d, \"lost\"", n);
        drop(n)
    :: what == again ->
        comes(session_opened, token_renewed);
        printf("again\", "); print_word(net[n].kind); printf(", %d", n);
        e_left = net[n].left
    :: what == again_as_orphan ->
        event = token_orphaned;
        printf("again\", \"orphan\", %d", n);
        e_left = net[n].left
    :: what == no_more ->
        printf("no more\", "); print_word(net[n].kind); printf(", %d", n);
        drop(n)
    fi;
    printf(">>, \"");
    if
    :: event ->
        hear();
        if
        :: taken -> printf("taken")
        :: else -> printf("dropped")
        fi
    :: else
    fi;
    printf("\", "); print_commands(); printf(">>, ");
    if
    :: attempt > MOST_ATTEMPTS -> printf("beyond the limit\n")
    :: else -> print_view(); printf(">>\n")
    fi;
    what = 0; n = 0
}

#define IS_FREE         (n == 0 && !IS_DUE)
#define HANDLER_SAYS    (!IS_DUE && (n == 0 || n == renewal.n))
#define IS_ON_ITS_WAY   (!IS_DUE && net[n].kind && !net[n].came)
#define MAY_COME_AGAIN  (!IS_DUE && net[n].kind && net[n].came)

/* Something is picked, and then it happens at once: what is between is no state of the world. */
active proctype world() {
    do
    :: attempt > MOST_ATTEMPTS -> break
    :: attempt <= MOST_ATTEMPTS ->
        select(n : 0 .. MOST_ATTEMPTS);
        if
        :: n == 0 && IS_DUE -> what = due
        :: IS_FREE && state != notLoggedIn && state != terminated -> what = tick
        :: IS_FREE -> what = login
        :: IS_FREE -> what = logout
        :: HANDLER_SAYS -> what = brought
        :: HANDLER_SAYS -> what = unable
        :: IS_ON_ITS_WAY -> what = granted
        :: IS_ON_ITS_WAY -> what = foreign
        :: IS_ON_ITS_WAY -> what = lost
        :: MAY_COME_AGAIN -> what = again
        :: MAY_COME_AGAIN -> what = again_as_orphan
        :: MAY_COME_AGAIN -> what = no_more
        fi;
        d_step { happen() }
    od
}
