"""Making a compose file ready for Slipway: proposing `x-slipway` keys, and writing them into it.

    compose file, Dockerfiles, sources ─▶ outline ─▶ proposals ─▶ text of the file
                                             └─────▶ remarks: what the user has to decide

What is proposed is guessed from conventions; each inserted key has a comment that says from what.
The file's meaning is looked at only roughly: Compose's own reader judges it in `pulumi preview`.
"""
