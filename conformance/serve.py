"""python -m goldenstep.conformance.serve NAME: a Python implementation as a process that speaks the protocol.

What the implementation prints goes to standard error: standard output is for answers alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from .answers import NoAnswerError, UnsupportedError
from .implementations import Implementation, UnknownImplementationError, load
from .process import PROTOCOL
from .verdict import Asking

Document = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until `stop` or the end of the input; 2 if the implementation can't be loaded."""
    parser = argparse.ArgumentParser(prog="goldenstep.conformance.serve", description=main.__doc__)
    parser.add_argument("name", help="an implementation as --impl takes it")
    parser.add_argument("--edition", help="the edition of a module that does not name its own")
    given = parser.parse_args(arguments)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        implementation = load(given.name, given.edition)
    except UnknownImplementationError as error:
        print(error, file=sys.stderr)
        return 2
    serve(implementation, sys.stdin, answers)
    return 0


def serve(implementation: Implementation, requests: TextIO, answers: TextIO) -> None:
    """Answer one request after the other."""
    for line in requests:
        request = json.loads(line)
        if request["command"] == "stop":
            return
        answer = declared(implementation) if request["command"] == "start" else answered(implementation, request)
        try:
            text = json.dumps(answer, allow_nan=False)
        except (TypeError, ValueError) as error:
            text = json.dumps({"seq": request.get("seq", 1), "failed": f"the trajectory is not JSON: {error}"})
        answers.write(text + "\n")
        answers.flush()


def declared(implementation: Implementation) -> Document:
    """What an implementation says of itself."""
    more = {key: getattr(implementation, key, None) for key in ("exposes", "tolerance", "known_failures", "code")}
    if more["known_failures"]:
        more["known_failures"] = str(Path(more["known_failures"]).absolute())
    return {
        "protocol": PROTOCOL,
        "name": implementation.name,
        "version": getattr(implementation, "version", ""),
        "editions": list(implementation.editions),
        **{key: value for key, value in more.items() if value},
    }


def answered(implementation: Implementation, request: Document) -> Document:
    """The answer to a case."""
    seq, case = request["seq"], request["case"]
    asked = Asking(implementation)
    try:
        reason = asked.supports(case)
        return {"seq": seq, "unsupported": reason} if reason else {"seq": seq, "trajectory": asked.run(case)}
    except UnsupportedError as error:
        return {"seq": seq, "unsupported": str(error)}
    except NoAnswerError as error:
        print(error.detail, file=sys.stderr)
        return {"seq": seq, "failed": str(error).removeprefix("the adapter ")}


if __name__ == "__main__":
    sys.exit(main())
