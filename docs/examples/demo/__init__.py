"""One whole life of a session, among three real parties on this machine: `make demo`.

The **platform** is `splus_session.testing.FakePlatform` behind a real HTTP server. The **backend** is a
customer's, a Starlette app under uvicorn that knows its own users and vouches for them. The **client** is an
app with a `Session`. They talk HTTP over loopback; what each says, and what the session makes of it, is the
timeline that you read. Tokens live for seconds instead of a month, so that a month takes seconds.

**Where to look.** `client.py` and `backend.py` are what you would write yourself. `life.py`, `logins.py` and
`killed.py` are the scenes, and read as a script. `journal.py` and `stage.py` are what makes it readable.

Every scene checks what it shows. If anything goes otherwise than promised, the demo says what, and fails.
"""
