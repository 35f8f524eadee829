"""The command ``tidegate fix-acceptor``: its options. What it does is in ``serve``, loaded when it is run."""

from __future__ import annotations

import argparse

from framework.commands import CommandEntry

__all__ = ["COMMAND"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, required=True, metavar="P", help="port to listen on; 0 for a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--sender", required=True, metavar="ID", help="our CompID")
    parser.add_argument("--target", required=True, metavar="ID", help="the client's CompID")


def _run(options: argparse.Namespace) -> int:
    from adapters.fix.serve import run

    return run(options)


COMMAND = CommandEntry(
    summary="a FIX 4.4 acceptor that echoes, for suites that test session engines",
    description=(
        "Serve one FIX 4.4 session: no password, sequence numbers begin anew at every logon, messages are checked "
        "against the FIX 4.4 dictionary, NewOrderSingle and SecurityDefinition are echoed. Ends on Ctrl-C."
    ),
    add_arguments=_add_arguments,
    run=_run,
)
