"""The fake platform on real sockets."""

import contextlib
import socket
import subprocess
import sys
import textwrap
import threading

import httpx2
import pytest

from splus_session.testing import Endpoint, FakePlatform, faults


def raw(port: int, request: bytes) -> bytes:
    """Everything that comes back over one connection, until it ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


GET = b"GET /api/v3/channels HTTP/1.1\r\nhost: x\r\n\r\n"


def test_it_listens_on_loopback_and_only_while_the_block_runs(platform: FakePlatform) -> None:
    with platform.serve() as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert httpx2.get(f"{server.url}/api/v3/channels").status_code == 401
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{server.url}/api/v3/channels")


def test_stopping_hangs_up_on_idle_clients_and_it_may_come_back_where_it_was(platform: FakePlatform) -> None:
    with (
        platform.serve() as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as idle,
    ):
        idle.sendall(GET)
        answer = b""
        while not answer.endswith(b"}"):
            answer += idle.recv(65536)
        server.stop()
        assert idle.recv(1) == b""
    with platform.serve(server.port) as again:
        assert again.url == server.url
        assert httpx2.get(f"{server.url}/api/v3/channels").status_code == 401
        with pytest.raises(OSError, match="in use"), platform.serve(server.port):
            pass


@pytest.mark.parametrize("attempt", range(1, 9))
def test_stopping_hangs_up_on_those_who_are_just_connecting(platform: FakePlatform, attempt: int) -> None:
    # Nobody connects any more while it closes: Linux forgets a handshake now and then if the listener is
    # closed under it, and tells the client nothing.
    with contextlib.ExitStack() as stack:
        with platform.serve() as server:
            address = ("127.0.0.1", server.port)
            connections = [
                stack.enter_context(socket.create_connection(address, timeout=30)) for _ in range(attempt)
            ]
        for connection in connections:
            with contextlib.suppress(ConnectionError):  # reset, which is as good
                assert connection.recv(1) == b""


def test_many_may_serve_the_same_world(platform: FakePlatform) -> None:
    with platform.serve() as one, platform.serve() as two:
        assert one.port != two.port
        httpx2.get(one.url)
        httpx2.get(two.url)
    assert len(platform.requests) == 2


@pytest.mark.parametrize("fault", [faults.drop(), faults.drop(carried_out=True)])
def test_a_drop_ends_the_connection_without_a_byte(platform: FakePlatform, fault: faults.Fault) -> None:
    platform.fail(Endpoint.GET_CHANNELS, fault)
    with platform.serve() as server:
        assert raw(server.port, GET) == b""


def test_an_answer_cut_short_ends_the_connection_inside_its_body(platform: FakePlatform) -> None:
    platform.fail(Endpoint.GET_CHANNELS, faults.cut_short(0.5))
    with platform.serve() as server:
        head, _, body = raw(server.port, GET).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 401")
    [length] = [int(line.split()[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")]
    assert len(body) == length // 2


def test_stopping_ends_a_held_exchange_without_an_answer(platform: FakePlatform) -> None:
    hold = platform.hold(Endpoint.GET_CHANNELS)
    came: list[bytes] = []
    with platform.serve() as server:
        thread = threading.Thread(target=lambda: came.append(raw(server.port, GET)))
        thread.start()
        hold.arrived.wait()
        server.stop()
        thread.join(30)
    assert came == [b""]


def test_stopping_breaks_an_answer_off(platform: FakePlatform, caplog: pytest.LogCaptureFixture) -> None:
    platform.fail(Endpoint.GET_CHANNELS, faults.drip())
    with (
        platform.serve() as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection,
    ):
        connection.sendall(GET)
        assert connection.recv(12) == b"HTTP/1.1 401"
        server.stop()
        rest = b"".join(iter(lambda: connection.recv(65536), b""))
    assert rest.endswith(b"\r\n\r\n"), "the head came, and no byte of the body"
    assert not caplog.records, "nor does the server take it for a fault of its own"


def test_a_client_that_hangs_up_first_harms_nobody(platform: FakePlatform) -> None:
    hold = platform.hold(Endpoint.GET_CHANNELS)
    with platform.serve() as server:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(GET)
            hold.arrived.wait()
        hold.release()
        assert httpx2.get(f"{server.url}/api/v3/channels").status_code == 401


def test_a_process_that_still_serves_may_end() -> None:
    script = """
        from splus_session.testing import FakePlatform
        server = FakePlatform().serve()
        print(server.__enter__().url)
    """
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert run.stdout.startswith("http://127.0.0.1:")
    assert run.stderr == ""


def test_importing_it_starts_no_server_and_loads_none() -> None:
    script = (
        "import sys, splus_session.testing; assert not {'uvicorn', 'starlette', 'httpx2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
