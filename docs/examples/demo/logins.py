"""The other ways to log in, each with its own way to renew, and the logout that revokes."""

from docs.examples.demo.client import App, VisitorHandler, open_app
from docs.examples.demo.customer import PASSWORD
from docs.examples.demo.world import World
from splus_session import AuthTokenRequiredError, SessionState, UnavailableError
from splus_session.testing import Endpoint, faults

ESTABLISHED = SessionState.ESTABLISHED
NOT_LOGGED_IN = SessionState.NOT_LOGGED_IN


async def play(world: World) -> None:
    """Play the scenes."""
    await development_login(world)
    await access_token_login(world)
    await visitor_login(world)
    async with open_app(world) as app:
        await secure_logout(world, app)


async def development_login(world: World) -> None:
    """Log in with a user id alone."""
    with world.stage.scene(
        "Development login",
        "While a customer still builds, a user id is enough, if both sides agree: the platform has secure "
        "mode off, the client says development=True. Such a session renews itself.",
        outcome="established, by a user id alone",
    ) as scene:
        world.let_tokens_live(3)
        world.platform.rules.secure_mode = False
        sent = len(world.platform.requests)
        async with open_app(world) as app:
            await app.fails("a production login", app.session.login("linus"), AuthTokenRequiredError)
            scene.check(
                "in production it is refused, with nothing sent", len(world.platform.requests) == sent
            )
        async with open_app(world, development=True) as app:
            await app.session.login("linus")
            await app.until_ran("on_renewal")
            scene.check("in development it works", app.session.state is ESTABLISHED)
            scene.check("and renews itself, with no handler", app.asked == 0)
            await app.session.logout()
        world.platform.rules.secure_mode = True


async def access_token_login(world: World) -> None:
    """Log in with an access token that the customer issued."""
    with world.stage.scene(
        "Access-token login",
        "A customer may issue access tokens itself. The platform verifies the one that the client brings, "
        "and the next, which the session asks the backend for in time.",
        outcome="established, by customer's token",
    ) as scene:
        # A JWT's times are whole seconds: this one may be a second older than it looks.
        world.let_tokens_live(5)
        sent = len(world.platform.requests)
        async with open_app(world) as app:
            await app.backend.sign_in("ada", PASSWORD)
            await app.session.login_with_access_token(await app.backend.access_token())
            await app.until_ran("on_renewal")
            status = await app.read_user("ada")
            asked = [request.endpoint for request in world.platform.requests[sent:]]
            scene.check("established, as the user whom the token names", app.session.user_id == "ada")
            scene.check("the backend was asked for the next token", app.asked == 1)
            scene.check(
                "each was verified, none was issued by the platform",
                asked == [Endpoint.VERIFY, Endpoint.VERIFY, Endpoint.GET_USER],
            )
            scene.check("the new one opens the API", status == 200)
            await app.session.logout()


async def visitor_login(world: World) -> None:
    """Log in nobody in particular."""
    with world.stage.scene(
        "Visitor login",
        "Somebody who has no account looks around. The customer's backend signs the device's id, so that "
        "nobody makes up visitors; the session renews with a fresh signature.",
        outcome="established, by signed device id",
    ) as scene:
        world.let_tokens_live(3)
        world.platform.rules.signed_visitors = True
        async with open_app(world) as app:
            signature, expires_at = await app.sign_device()
            await app.session.login_as_visitor(
                auth_signature=signature,
                auth_signature_expires_at=expires_at,
                session_handler=VisitorHandler(app),
            )
            await app.until_ran("on_renewal")
            visits = world.platform.requests_to(Endpoint.VISITOR_LOGIN)
            signatures = {request.fields["authSignature"] for request in visits}
            user_id = app.session.user_id or ""
            scene.check("the platform knows a visitor by the device", user_id.startswith("visitor-"))
            scene.check("login and renewal each had a signature of their own", len(signatures) == 2)
            await app.session.logout()
        world.platform.rules.signed_visitors = False


async def secure_logout(world: World, app: App) -> None:
    """Log out so that the platform knows."""
    with world.stage.scene(
        "Secure logout, at second try",
        "secure_logout() has the platform void the token first. The platform ails and refuses: the session "
        "stays as it was. The second time it works.",
        outcome="out once the token was void",
    ) as scene:
        world.let_tokens_live(60)
        await app.backend.sign_in("bob", PASSWORD)
        await app.session.login("bob", auth_token=await app.backend.auth_token("bob"))
        told = len(app.changes)
        world.platform.fail(Endpoint.REVOKE, faults.server_error(503))
        await app.fails("secure_logout()", app.session.secure_logout(), UnavailableError)
        status = await app.read_user("bob")
        [issued] = world.platform.tokens_of("bob")
        alive = world.platform.is_alive(issued.token)
        scene.check("refused: the session goes on as it was", status == 200 and alive)
        await app.session.secure_logout()
        await app.until_state(NOT_LOGGED_IN)
        await app.until_ran("on_logout")
        scene.check("done: established → notLoggedIn", app.states_since(told) == [NOT_LOGGED_IN])
        scene.check("and the token is void at the platform", not world.platform.is_alive(issued.token))
