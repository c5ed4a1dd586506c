"""One user's session, from login through renewals, expiry and a ban to logout."""

import anyio

from docs.examples.demo.client import App, open_app
from docs.examples.demo.customer import PASSWORD
from docs.examples.demo.journal import Party
from docs.examples.demo.world import World
from splus_session import (
    NotAllowedError,
    NotLoggedInError,
    RenewalFailedError,
    SessionState,
    SessionTerminatedError,
    TerminationReason,
    UserBannedError,
)
from splus_session.testing import Endpoint, faults

ESTABLISHING = SessionState.ESTABLISHING
ESTABLISHED = SessionState.ESTABLISHED
EXPIRED = SessionState.TOKEN_EXPIRED
NOT_LOGGED_IN = SessionState.NOT_LOGGED_IN
CALLERS = 10


async def play(world: World) -> None:
    """Play the scenes of a user called ada."""
    async with open_app(world) as app:
        await production_login(world, app)
        await renewal_ahead(world, app)
        await expiry_and_recovery(world, app)
        await failing_renewal(world, app)
        await lost_backend(world, app)
        await ban(world, app)
        await logout(world, app)


async def production_login(world: World, app: App) -> None:
    """Log in with the backend's word."""
    world.let_tokens_live(3)
    with world.stage.scene(
        "Production login",
        "ada signs in to the customer's own service. Its backend vouches for her with an auth token, "
        "which the client shows to the platform.",
        outcome="established, by the backend's word",
    ) as scene:
        await app.backend.sign_in("ada", PASSWORD)
        for_bob = await app.backend.vouches_for("bob")
        auth_token = await app.backend.auth_token("ada")
        await app.session.login("ada", auth_token=auth_token, display_name="Ada")
        await app.until_state(ESTABLISHED)
        status = await app.read_user("ada")
        scene.check("the backend vouches for nobody but who is signed in there", not for_bob)
        scene.check(
            "notLoggedIn → establishing → established, and nothing else",
            app.states_since(0) == [NOT_LOGGED_IN, ESTABLISHING, ESTABLISHED],
        )
        scene.check("the session's token opens the API", status == 200)


async def renewal_ahead(world: World, app: App) -> None:
    """Renew before the token expires."""
    told = len(app.changes)
    with world.stage.scene(
        "Renewal ahead",
        "Half-way through the token's 3 seconds the session renews it. Nobody is interrupted.",
        outcome="a new token, established throughout",
    ) as scene:
        await app.until_ran("on_renewal")
        status = await app.read_user("ada")
        scene.check("no change of state was told", app.states_since(told) == [])
        scene.check("the handler was asked once", app.asked == 1)
        scene.check("the API is called with the new token", status == 200)
        [first, second] = world.platform.tokens_of("ada")
        scene.check("the platform voided the old token", first.voided and not second.voided)


async def expiry_and_recovery(world: World, app: App) -> None:
    """Let the renewal take longer than the token lives."""
    told, asked, renewals = len(app.changes), app.asked, app.ran("on_renewal")
    statuses: list[int] = []

    async def call() -> None:
        statuses.append(await app.read_user("ada"))

    with world.stage.scene(
        "Expiry and recovery",
        f"This time the platform takes longer than the token lives. {CALLERS} callers want the API "
        "meanwhile: they wait, and one renewal serves them all.",
        outcome="10 callers served by one renewal",
    ) as scene:
        world.let_tokens_live(4)
        hold = world.platform.hold(Endpoint.LOGIN)
        await app.until_state(EXPIRED)
        async with anyio.create_task_group() as callers:
            for _ in range(CALLERS):
                callers.start_soon(call)
            await anyio.wait_all_tasks_blocked()
            world.journal.write(Party.CLIENT, f"{CALLERS} callers want the API, and wait")
            hold.release()
        await app.until_state(ESTABLISHED)
        scene.check(
            "established → tokenExpired → established",
            app.states_since(told) == [EXPIRED, ESTABLISHED],
        )
        expired, renewed = app.changes[told:]
        calls = [request.at for request in world.platform.requests_to(Endpoint.GET_USER)]
        scene.check(
            "no request left with the dead token", not any(expired.at <= at < renewed.at for at in calls)
        )
        scene.check(f"all {CALLERS} callers were served", statuses == [200] * CALLERS)
        await app.until_ran("on_renewal", renewals + 1)
        scene.check("by one renewal", app.asked == asked + 1)


async def failing_renewal(world: World, app: App) -> None:
    """Let the platform ail."""
    told, asked, renewals = len(app.changes), app.asked, app.ran("on_renewal")
    with world.stage.scene(
        "Renewal fails: platform ails",
        "The platform answers 503 twice. The session tries again with the same auth token: after up to a "
        "second, then after up to two, by chance, so that not all clients come at once.",
        outcome="third try, and nobody noticed",
    ) as scene:
        world.let_tokens_live(3)
        before = len(world.platform.requests_to(Endpoint.LOGIN))
        world.platform.fail(Endpoint.LOGIN, faults.server_error(503), times=2)
        await app.until_ran("on_renewal", renewals + 1)
        tries = [request.status for request in world.platform.requests_to(Endpoint.LOGIN)[before:]]
        scene.check("two tries failed, the third succeeded", tries == [503, 503, 200])
        scene.check("the backend was asked for one auth token, not for three", app.asked == asked + 1)
        scene.check("no change of state was told", app.states_since(told) == [])


async def lost_backend(world: World, app: App) -> None:
    """Let the customer's backend refuse."""
    told, asked = len(app.changes), app.asked
    with world.stage.scene(
        "Renewal fails: backend refuses",
        "ada's sign-in at the customer's has ended, so its backend does not vouch for her any more. The "
        "token runs out. When she has signed in again, the app says so with renew_now().",
        outcome="tokenExpired until renew_now()",
    ) as scene:
        await app.backend.sign_out()
        await app.until_state(EXPIRED)
        sent = len(world.platform.requests)
        error = await app.fails("an API call", app.read_user("ada"), RenewalFailedError)
        retry_in = round((error.retry_at or 0.0) - app.changes[-1].at)
        scene.check("API calls fail at once, with the reason", "handler could not get" in str(error))
        scene.check(f"and say when the session tries again: in {retry_in} s", 0 < retry_in <= 600)
        scene.check("nothing was sent with the dead token", len(world.platform.requests) == sent)
        scene.check("the handler was not pestered", app.asked == asked + 1)
        world.let_tokens_live(60)
        await app.backend.sign_in("ada", PASSWORD)
        await app.session.renew_now()
        await app.until_state(ESTABLISHED)
        scene.check("renew_now() ends the pause", app.states_since(told) == [EXPIRED, ESTABLISHED])


async def ban(world: World, app: App) -> None:
    """Ban the user."""
    told = len(app.changes)
    with world.stage.scene(
        "A ban",
        "An administrator bans ada. The next API call hears of it, and ends the session.",
        outcome="terminated, nothing sent any more",
    ) as scene:
        world.platform.ban("ada")
        world.journal.write(Party.ADMIN, "ban ada", Party.PLATFORM)
        status = await app.read_user("ada")
        await app.until_state(SessionState.TERMINATED)
        await app.until_ran("on_ban")
        sent = len(world.platform.requests)
        error = await app.fails("an API call", app.read_user("ada"), SessionTerminatedError)
        await app.fails("a login", app.session.login("ada", auth_token="no matter"), NotAllowedError)
        scene.check("the API call that heard of it got its 403", status == 403)
        scene.check("established → terminated", app.states_since(told) == [SessionState.TERMINATED])
        scene.check("the reason is globalBan", error.reason is TerminationReason.GLOBAL_BAN)
        scene.check("later calls send nothing; only logout leads out", len(world.platform.requests) == sent)


async def logout(world: World, app: App) -> None:
    """Log out, and in again, and out."""
    told = len(app.changes)
    with world.stage.scene(
        "Logout",
        "Logging out needs no network, from whatever state. While ada is banned a login fails, with an "
        "error that says so; after that she is in again, and out.",
        outcome="notLoggedIn, nothing left of ada",
    ) as scene:
        sent = len(world.platform.requests)
        await app.session.logout()
        scene.check("terminated → notLoggedIn, with nothing sent", len(world.platform.requests) == sent)
        auth_token = await app.backend.auth_token("ada")
        login = app.session.login("ada", auth_token=auth_token)
        await app.fails("a login", login, UserBannedError)
        world.platform.unban("ada")
        world.journal.write(Party.ADMIN, "let ada in again", Party.PLATFORM)
        await app.session.login("ada", auth_token=auth_token)
        await app.session.logout()
        await app.until_ran("on_logout", 2)
        sent = len(world.platform.requests)
        await app.fails("an API call", app.read_user("ada"), NotLoggedInError)
        scene.check("afterwards API calls fail, with nothing sent", len(world.platform.requests) == sent)
        failed, worked = [ESTABLISHING, NOT_LOGGED_IN], [ESTABLISHING, ESTABLISHED, NOT_LOGGED_IN]
        await app.until("six changes are told", lambda: len(app.changes) >= told + 6)
        scene.check(
            "the banned login and the other one, and nothing else",
            app.states_since(told) == [NOT_LOGGED_IN, *failed, *worked],
        )
        scene.check("the session keeps nothing of ada", app.session.user_id is None)
