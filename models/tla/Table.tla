------------------------------- MODULE Table --------------------------------
(* GENERATED from LIFECYCLE by `make generate`; a test keeps it fresh. Do not edit. *)
EXTENDS Rules

login(s, e) ==
    IF s.state = "notLoggedIn" /\ has_auth_token_or_development(s, e)
    THEN Done(s, start_login(Draft(s, "establishing"), e), TRUE, "login", <<>>)
    ELSE Dropped(s)

login_with_access_token(s, e) ==
    IF s.state = "notLoggedIn" /\ has_access_token_handler(s, e) /\ presents_live_token(s, e)
    THEN Done(s, start_login(Draft(s, "establishing"), e), TRUE, "login", <<>>)
    ELSE Dropped(s)

login_as_visitor(s, e) ==
    IF s.state = "notLoggedIn"
    THEN Done(s, start_login(Draft(s, "establishing"), e), TRUE, "login", <<>>)
    ELSE Dropped(s)

login_as_bot(s, e) ==
    IF s.state = "notLoggedIn"
    THEN Done(s, start_login(Draft(s, "establishing"), e), TRUE, "login", <<>>)
    ELSE Dropped(s)

session_opened(s, e) ==
    IF s.state = "notLoggedIn" /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "notLoggedIn"), e), FALSE, "", <<>>)
    ELSE IF s.state = "establishing" /\ is_current_login(s, e) /\ is_acceptable(s, e)
    THEN Done(s, store_record(adopt_credential(Draft(s, "established"), e), e), TRUE, "loggedIn", <<"on_login">>)
    ELSE IF s.state = "establishing" /\ is_current_login(s, e) /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(fail_login(Draft(s, "notLoggedIn"), e), e), TRUE, "loginFailed", <<>>)
    ELSE IF s.state = "establishing" /\ is_current_login(s, e)
    THEN Done(s, fail_login(Draft(s, "notLoggedIn"), e), TRUE, "loginFailed", <<>>)
    ELSE IF s.state = "establishing" /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "establishing"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established" /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE IF s.state = "terminated" /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "terminated"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

resume(s, e) ==
    IF s.state = "notLoggedIn" /\ record_is_live(s, e)
    THEN Done(s, store_record(restore_session(Draft(s, "established"), e), e), TRUE, "resumed", <<>>)
    ELSE IF s.state = "notLoggedIn" /\ record_is_renewable(s, e)
    THEN Done(s, store_record(restore_session(Draft(s, "tokenExpired"), e), e), TRUE, "resumed", <<>>)
    ELSE Dropped(s)

token_renewed(s, e) ==
    IF s.state = "notLoggedIn" /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "notLoggedIn"), e), FALSE, "", <<>>)
    ELSE IF s.state = "establishing" /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "establishing"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established" /\ is_current_renewal(s, e) /\ is_acceptable(s, e)
    THEN Done(s, store_record(replace_credential(Draft(s, "established"), e), e), FALSE, "tokenRenewed", <<"on_renewal">>)
    ELSE IF s.state = "established" /\ is_current_renewal(s, e) /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(pause_asking(Draft(s, "established"), e), e), FALSE, "", <<>>)
    ELSE IF s.state = "established" /\ is_current_renewal(s, e)
    THEN Done(s, pause_asking(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established" /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_current_renewal(s, e) /\ is_acceptable(s, e)
    THEN Done(s, store_record(replace_credential(Draft(s, "established"), e), e), TRUE, "tokenRenewed", <<"on_renewal">>)
    ELSE IF s.state = "tokenExpired" /\ is_current_renewal(s, e) /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(pause_asking(Draft(s, "tokenExpired"), e), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_current_renewal(s, e)
    THEN Done(s, pause_asking(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE IF s.state = "terminated" /\ is_minted(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "terminated"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

handlers_changed(s, e) ==
    IF s.state = "notLoggedIn"
    THEN Done(s, note_handlers(Draft(s, "notLoggedIn"), e), FALSE, "", <<>>)
    ELSE IF s.state = "establishing"
    THEN Done(s, note_handlers(Draft(s, "establishing"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established"
    THEN Done(s, note_handlers(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired"
    THEN Done(s, note_handlers(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE IF s.state = "terminated"
    THEN Done(s, note_handlers(Draft(s, "terminated"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

token_orphaned(s, e) ==
    IF s.state = "notLoggedIn"
    THEN Done(s, revoke_orphan(Draft(s, "notLoggedIn"), e), FALSE, "", <<>>)
    ELSE IF s.state = "establishing"
    THEN Done(s, revoke_orphan(Draft(s, "establishing"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established" /\ ~is_in_use(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ ~is_in_use(s, e)
    THEN Done(s, revoke_orphan(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE IF s.state = "terminated"
    THEN Done(s, revoke_orphan(Draft(s, "terminated"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

logout(s, e) ==
    IF s.state = "notLoggedIn"
    THEN Done(s, forget_record(Draft(s, "notLoggedIn"), e), FALSE, "", <<>>)
    ELSE IF s.state = "establishing"
    THEN Done(s, forget_record(fail_login(Draft(s, "notLoggedIn"), e), e), TRUE, "logout", <<>>)
    ELSE IF s.state = "established"
    THEN Done(s, forget_record(end_session(Draft(s, "notLoggedIn"), e), e), TRUE, "logout", <<"on_logout">>)
    ELSE IF s.state = "tokenExpired"
    THEN Done(s, forget_record(end_session(Draft(s, "notLoggedIn"), e), e), TRUE, "logout", <<"on_logout">>)
    ELSE IF s.state = "terminated"
    THEN Done(s, forget_record(end_session(Draft(s, "notLoggedIn"), e), e), TRUE, "logout", <<"on_logout">>)
    ELSE Dropped(s)

secure_logout(s, e) ==
    IF s.state = "notLoggedIn"
    THEN Done(s, forget_record(Draft(s, "notLoggedIn"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established" /\ ~is_revoking(s, e)
    THEN Done(s, start_revocation(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established"
    THEN Done(s, Draft(s, "established"), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ ~is_revoking(s, e)
    THEN Done(s, start_revocation(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired"
    THEN Done(s, Draft(s, "tokenExpired"), FALSE, "", <<>>)
    ELSE IF s.state = "terminated"
    THEN Done(s, forget_record(end_session(Draft(s, "notLoggedIn"), e), e), TRUE, "logout", <<"on_logout">>)
    ELSE Dropped(s)

login_failed(s, e) ==
    IF s.state = "establishing" /\ is_current_login(s, e)
    THEN Done(s, fail_login(Draft(s, "notLoggedIn"), e), TRUE, "loginFailed", <<>>)
    ELSE Dropped(s)

login_cancelled(s, e) ==
    IF s.state = "establishing" /\ is_current_login(s, e)
    THEN Done(s, fail_login(Draft(s, "notLoggedIn"), e), TRUE, "loginCancelled", <<>>)
    ELSE IF s.state = "established" /\ is_current_login(s, e)
    THEN Done(s, forget_record(end_session(disown_credential(Draft(s, "notLoggedIn"), e), e), e), TRUE, "loginCancelled", <<"on_logout">>)
    ELSE IF s.state = "tokenExpired" /\ is_current_login(s, e)
    THEN Done(s, forget_record(end_session(disown_credential(Draft(s, "notLoggedIn"), e), e), e), TRUE, "loginCancelled", <<"on_logout">>)
    ELSE Dropped(s)

user_banned(s, e) ==
    IF s.state = "establishing" /\ concerns_this_session(s, e)
    THEN Done(s, fail_login(Draft(s, "notLoggedIn"), e), TRUE, "globalBan", <<>>)
    ELSE IF s.state = "established" /\ concerns_this_session(s, e)
    THEN Done(s, forget_record(end_session(Draft(s, "terminated"), e), e), TRUE, "globalBan", <<"on_ban">>)
    ELSE IF s.state = "tokenExpired" /\ concerns_this_session(s, e)
    THEN Done(s, forget_record(end_session(Draft(s, "terminated"), e), e), TRUE, "globalBan", <<"on_ban">>)
    ELSE Dropped(s)

user_deleted(s, e) ==
    IF s.state = "establishing" /\ concerns_this_session(s, e)
    THEN Done(s, fail_login(Draft(s, "notLoggedIn"), e), TRUE, "userDeleted", <<>>)
    ELSE IF s.state = "established" /\ concerns_this_session(s, e)
    THEN Done(s, forget_record(end_session(Draft(s, "terminated"), e), e), TRUE, "userDeleted", <<"on_ban">>)
    ELSE IF s.state = "tokenExpired" /\ concerns_this_session(s, e)
    THEN Done(s, forget_record(end_session(Draft(s, "terminated"), e), e), TRUE, "userDeleted", <<"on_ban">>)
    ELSE Dropped(s)

renewal_due(s, e) ==
    IF s.state = "established" /\ has_grant_to_resend(s, e)
    THEN Done(s, resend_grant(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established" /\ asks_handler(s, e)
    THEN Done(s, ask_handler(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established"
    THEN Done(s, renew_unaided(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ has_grant_to_resend(s, e)
    THEN Done(s, resend_grant(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ asks_handler(s, e)
    THEN Done(s, ask_handler(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired"
    THEN Done(s, renew_unaided(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

renewal_answered(s, e) ==
    IF s.state = "established" /\ is_current_ask(s, e)
    THEN Done(s, send_renewal(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_current_ask(s, e)
    THEN Done(s, send_renewal(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

renewal_unable(s, e) ==
    IF s.state = "established" /\ is_current_ask(s, e)
    THEN Done(s, pause_asking(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_current_ask(s, e)
    THEN Done(s, pause_asking(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

answer_overdue(s, e) ==
    IF s.state = "established"
    THEN Done(s, pause_asking(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired"
    THEN Done(s, pause_asking(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

renewal_failed(s, e) ==
    IF s.state = "established" /\ is_current_renewal(s, e) /\ is_retryable(s, e)
    THEN Done(s, back_off(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established" /\ is_current_renewal(s, e)
    THEN Done(s, pause_asking(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_current_renewal(s, e) /\ is_retryable(s, e)
    THEN Done(s, back_off(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_current_renewal(s, e)
    THEN Done(s, pause_asking(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

renew_now(s, e) ==
    IF s.state = "established" /\ is_renewable(s, e) /\ ~is_revoking(s, e)
    THEN Done(s, end_pause(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_renewable(s, e) /\ ~is_revoking(s, e)
    THEN Done(s, end_pause(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

token_expired(s, e) ==
    IF s.state = "established"
    THEN Done(s, store_record(end_verification(Draft(s, "tokenExpired"), e), e), TRUE, "tokenExpired", <<>>)
    ELSE Dropped(s)

token_rejected(s, e) ==
    IF s.state = "established" /\ is_current_credential(s, e) /\ ~is_busy(s, e)
    THEN Done(s, start_verification(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

token_confirmed(s, e) ==
    IF s.state = "established" /\ is_current_verification(s, e)
    THEN Done(s, end_verification(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established" /\ is_revocation_check(s, e)
    THEN Done(s, abandon_revocation(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_revocation_check(s, e)
    THEN Done(s, abandon_revocation(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

token_refuted(s, e) ==
    IF s.state = "established" /\ is_current_verification(s, e)
    THEN Done(s, store_record(end_verification(Draft(s, "tokenExpired"), e), e), TRUE, "tokenRejected", <<>>)
    ELSE IF s.state = "established" /\ is_revocation_check(s, e)
    THEN Done(s, forget_record(end_session(Draft(s, "notLoggedIn"), e), e), TRUE, "secureLogout", <<"on_logout">>)
    ELSE IF s.state = "tokenExpired" /\ is_revocation_check(s, e)
    THEN Done(s, forget_record(end_session(Draft(s, "notLoggedIn"), e), e), TRUE, "secureLogout", <<"on_logout">>)
    ELSE Dropped(s)

verification_failed(s, e) ==
    IF s.state = "established" /\ is_current_verification(s, e)
    THEN Done(s, end_verification(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established" /\ is_revocation_check(s, e)
    THEN Done(s, abandon_revocation(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_revocation_check(s, e)
    THEN Done(s, abandon_revocation(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

revocation_due(s, e) ==
    IF s.state = "established" /\ is_renewing(s, e)
    THEN Done(s, abandon_revocation(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "established"
    THEN Done(s, send_revocation(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_renewing(s, e)
    THEN Done(s, abandon_revocation(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired"
    THEN Done(s, send_revocation(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

token_revoked(s, e) ==
    IF s.state = "established" /\ is_current_revocation(s, e)
    THEN Done(s, forget_record(end_session(Draft(s, "notLoggedIn"), e), e), TRUE, "secureLogout", <<"on_logout">>)
    ELSE IF s.state = "tokenExpired" /\ is_current_revocation(s, e)
    THEN Done(s, forget_record(end_session(Draft(s, "notLoggedIn"), e), e), TRUE, "secureLogout", <<"on_logout">>)
    ELSE Dropped(s)

revocation_doubted(s, e) ==
    IF s.state = "established" /\ is_current_revocation(s, e)
    THEN Done(s, check_revocation(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_current_revocation(s, e)
    THEN Done(s, check_revocation(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

revocation_failed(s, e) ==
    IF s.state = "established" /\ is_current_revocation(s, e)
    THEN Done(s, abandon_revocation(Draft(s, "established"), e), FALSE, "", <<>>)
    ELSE IF s.state = "tokenExpired" /\ is_current_revocation(s, e)
    THEN Done(s, abandon_revocation(Draft(s, "tokenExpired"), e), FALSE, "", <<>>)
    ELSE Dropped(s)

Step(s, e) ==
    CASE e.name = "login" -> login(s, e)
      [] e.name = "login_with_access_token" -> login_with_access_token(s, e)
      [] e.name = "login_as_visitor" -> login_as_visitor(s, e)
      [] e.name = "login_as_bot" -> login_as_bot(s, e)
      [] e.name = "session_opened" -> session_opened(s, e)
      [] e.name = "resume" -> resume(s, e)
      [] e.name = "token_renewed" -> token_renewed(s, e)
      [] e.name = "handlers_changed" -> handlers_changed(s, e)
      [] e.name = "token_orphaned" -> token_orphaned(s, e)
      [] e.name = "logout" -> logout(s, e)
      [] e.name = "secure_logout" -> secure_logout(s, e)
      [] e.name = "login_failed" -> login_failed(s, e)
      [] e.name = "login_cancelled" -> login_cancelled(s, e)
      [] e.name = "user_banned" -> user_banned(s, e)
      [] e.name = "user_deleted" -> user_deleted(s, e)
      [] e.name = "renewal_due" -> renewal_due(s, e)
      [] e.name = "renewal_answered" -> renewal_answered(s, e)
      [] e.name = "renewal_unable" -> renewal_unable(s, e)
      [] e.name = "answer_overdue" -> answer_overdue(s, e)
      [] e.name = "renewal_failed" -> renewal_failed(s, e)
      [] e.name = "renew_now" -> renew_now(s, e)
      [] e.name = "token_expired" -> token_expired(s, e)
      [] e.name = "token_rejected" -> token_rejected(s, e)
      [] e.name = "token_confirmed" -> token_confirmed(s, e)
      [] e.name = "token_refuted" -> token_refuted(s, e)
      [] e.name = "verification_failed" -> verification_failed(s, e)
      [] e.name = "revocation_due" -> revocation_due(s, e)
      [] e.name = "token_revoked" -> token_revoked(s, e)
      [] e.name = "revocation_doubted" -> revocation_doubted(s, e)
      [] e.name = "revocation_failed" -> revocation_failed(s, e)
=============================================================================
