"""The object graph of a TensorFlow checkpoint: which Python object had which attribute, and where its value lies.

Source   tensorflow/core/protobuf/trackable_object_graph.proto
         TrackableObjectGraph  1 nodes; the first is the checkpoint itself
         TrackableObject       1 children, 2 attributes, 3 slot_variables
         ObjectReference       1 node_id, 2 local_name
         SerializedTensor      1 name, 2 full_name, 3 checkpoint_key
         SlotVariableReference 1 original_variable_node_id, 2 slot_name, 3 slot_variable_node_id
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from . import protobuf
from .errors import FileFormatError

KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "VARIABLE_VALUE"
MOST_NODES = 1_000_000


@dataclass
class Node:
    """An object: its children by attribute, its value if it is a variable, and its slots if it is an optimizer."""

    children: dict[str, int] = field(default_factory=dict)
    full_name: str = ""
    key: str | None = None
    slots: list[tuple[int, str, int]] = field(default_factory=list)


def parsed(data: bytes) -> list[Node]:
    """The nodes of a graph; every node that is referred to is there."""
    messages = protobuf.messages(protobuf.fields(data), 1)
    if len(messages) > MOST_NODES:
        raise FileFormatError(f"{KEY}: {len(messages)} objects, expected at most {MOST_NODES}")
    nodes = [_node(message) for message in messages]
    if not nodes:
        raise FileFormatError(f"{KEY}: expected at least one object")
    for number, node in enumerate(nodes):
        referred = [*node.children.values(), *(n for variable, _, slot in node.slots for n in (variable, slot))]
        if any(other >= len(nodes) for other in referred):
            raise FileFormatError(f"{KEY}: object {number} refers to {max(referred)}, there are {len(nodes)}")
    return nodes


def _node(message: bytes) -> Node:
    found = protobuf.fields(message)
    node = Node()
    for child in map(protobuf.fields, protobuf.messages(found, 1)):
        node.children[protobuf.text(child, 2)] = protobuf.number(child, 1)
    for attribute in map(protobuf.fields, protobuf.messages(found, 2)):
        if protobuf.text(attribute, 1) == VALUE:
            node.full_name, node.key = protobuf.text(attribute, 2), protobuf.text(attribute, 3)
    for slot in map(protobuf.fields, protobuf.messages(found, 3)):
        node.slots.append((protobuf.number(slot, 1), protobuf.text(slot, 2), protobuf.number(slot, 3)))
    return node


def reachable(nodes: list[Node], start: int = 0, without: str | None = None) -> Iterator[int]:
    """Every object that attributes lead to, those called `without` excepted, nearest first."""
    seen, queue = {start}, [start]
    for number in queue:
        yield number
        for name, child in nodes[number].children.items():
            if child not in seen and name != without:
                seen.add(child)
                queue.append(child)


def at(nodes: list[Node], path: str, start: int) -> int | None:
    """The object that a path of attributes leads to from `start`; None if one is missing."""
    number: int | None = start
    for name in path.split("/"):
        number = None if number is None else nodes[number].children.get(name)
    return number


# ---- writing ------------------------------------------------------------------------------------------------


def serialized(nodes: list[Node]) -> bytes:
    """A graph as it is stored."""
    return b"".join(protobuf.field(1, _message(node)) for node in nodes)


def _message(node: Node) -> bytes:
    children = [protobuf.field(1, number) + protobuf.field(2, name) for name, number in node.children.items()]
    slots = [
        (protobuf.field(1, variable) if variable else b"") + protobuf.field(2, name) + protobuf.field(3, slot)
        for variable, name, slot in node.slots
    ]
    message = b"".join(protobuf.field(1, child) for child in children)
    if node.key is not None:
        value = protobuf.field(1, VALUE) + protobuf.field(2, node.full_name) + protobuf.field(3, node.key)
        message += protobuf.field(2, value)
    message += b"".join(protobuf.field(3, slot) for slot in slots)
    return message + protobuf.field(5, protobuf.field(1, 1))
