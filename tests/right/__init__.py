"""Right implementations: written anew, each in another way, and none may raise an alarm.

They share no rule with the reference. `python -m tests.right` judges them by the whole suite; tests/test_right.py by
a part of it. docs/trial.md says what they have shown.
"""

RIGHT = {
    "functional": "tests.right.functional:implementation",
    "javascript": "cmd: node tests/right/javascript.mjs",
    "float64, rounded at once": "tests.right.double:rounding",
    "float64, rounded at the end": "tests.right.double:port",
    "joined": "tests.right.joined:implementation",
    "partial": "tests.right.partial",
}
"""What `--impl` takes for each."""
