"""`goldenstep convert`: an optimizer from one edition to another."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rich.console import Console

from goldenstep import spec
from goldenstep.reference.formats.convert import Conversion, ConversionError, convert
from goldenstep.reference.formats.errors import FileFormatError

ABOUT = """
Carry an optimizer from one edition to another: config and state, slot by slot. The target is a file that the target
release has written of the same model, compiled with the same class of optimizer (for a checkpoint: built, and its
weights are its own); OUTPUT is a copy of it with the optimizer of SOURCE. Formats: .h5, .weights.h5, .keras, and the
index of a TensorFlow checkpoint. What can't be carried is refused, and nothing is written.

examples:
  goldenstep convert old.h5 --into new.keras --output converted.keras       tf.keras 2.4 to Keras 3
  goldenstep convert ckpt-1.index --from tf2.4 --optimizer Adam --into new.keras --output converted.keras
  goldenstep convert old.h5 --into ckpt-1.index --to tf2.15 --output carried-1.index
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `convert`."""
    editions = ", ".join(spec.editions())
    parser.add_argument("source", metavar="SOURCE", help="the file with the optimizer to carry")
    parser.add_argument("--into", metavar="FILE", required=True, help="a file of the target edition, with the model")
    parser.add_argument("--output", metavar="FILE", required=True, help="where to write; of the format of --into")
    parser.add_argument(
        "--from", dest="source_edition", metavar="ID", help=f"who wrote SOURCE, if it does not say: {editions}"
    )
    parser.add_argument("--to", dest="target_edition", metavar="ID", help="who wrote --into, if it does not say")
    parser.add_argument("--optimizer", metavar="NAME", help="its class, if no file says, e.g. Adam")
    parser.add_argument(
        "--config", metavar="JSON", help="arguments that SOURCE does not hold, e.g. '{\"amsgrad\": true}'"
    )


def run(options: argparse.Namespace) -> int:
    """Convert, and say what was done: 0 written, 1 refused, 2 a file that is none."""
    try:
        config: Any = json.loads(options.config) if options.config else None
        done = convert(
            options.source, options.into, options.output, options.source_edition, options.target_edition,
            options.optimizer, config,
        )  # fmt: skip
    except ConversionError as error:
        print(f"goldenstep convert: {error}", file=sys.stderr)
        return 1
    except (FileFormatError, json.JSONDecodeError, OSError) as error:
        print(f"goldenstep convert: {error}", file=sys.stderr)
        return 2
    Console(highlight=False, soft_wrap=True).print(report(done, options.output))
    return 0


def report(done: Conversion, output: str) -> str:
    """What was done, in words."""
    lines = [f"{output}: {done.optimizer} of {done.source}, as {done.target} has it"]
    lines.append(f"carried: {', '.join(done.carried)}")
    if done.started:
        lines.append(f"at its first value, which {done.source} does not keep: {', '.join(done.started)}")
    if done.dropped:
        lines.append(f"left out, which {done.target} does not keep: {', '.join(done.dropped)}")
    alike = (
        f"up to rounding (a part in {1 / done.difference:.0e} of a step)"
        if done.difference > 1e-30
        else "up to the last bit of a weight"
    )
    lines.append(f"goes on: {'to the bit' if done.difference == 0 else alike} as {done.source} would")
    return "\n".join(lines)
