"""Refuses every connection that leaves this machine, and writes down that it was tried.

Python imports a module of this name at start-up when its folder stands in ``PYTHONPATH``: so every Python
that a test starts is closed like the one that runs the tests. Refusals are written to the file that
``GHOSTBUSTER_TESTS_REFUSED`` names, because code that survives a refusal has still tried. With
``GHOSTBUSTER_TESTS_CLOSED=all`` this machine's own addresses are refused too.
"""

import ipaddress
import os
import sys

_HOST_AT = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}
_ASKS_FOR_ITS_CLOUD = "/ray/dashboard/dashboard.py"
"""A process of Ray's that asks which cloud it is in: refused too, yet none of ours."""


class NetworkReachedError(RuntimeError):
    """A test reached for the network."""


def is_local(address):
    """Whether an address, as sockets take it, is on this machine."""
    host = address[0] if isinstance(address, tuple) else address
    if host is None or not isinstance(address, tuple | str):
        return True  # a Unix socket's bytes, the kernel's own protocols, a socket that is connected already
    if isinstance(address, str) and address.startswith(("/", "\0")):
        return True
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def refuse(event, arguments):
    """The audit hook: sees what the socket module is about to do, whoever asked for it."""
    position = _HOST_AT.get(event)
    if position is None:
        return
    address = arguments[position]
    if is_local(address) and os.environ.get("GHOSTBUSTER_TESTS_CLOSED") != "all":
        return
    note = os.environ.get("GHOSTBUSTER_TESTS_REFUSED")
    if note and not sys.argv[0].endswith(_ASKS_FOR_ITS_CLOUD):
        with open(note, "a", encoding="utf-8") as handle:  # noqa: PTH123  (pathlib is slow to import)
            handle.write(f"{event} {address!r} {sys.argv}\n")
    raise NetworkReachedError(f"{event} {address!r}: tests run without a network")


sys.addaudithook(refuse)
