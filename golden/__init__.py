"""The evidence: golden trajectories recorded from real releases, and the recorder and oracles that made them.

recorded/     the goldens, a folder per edition, a file per optimizer
ids.txt       every case id ever given out
oracles/      the real releases behind one protocol; runs in their environments
"""
