"""The commands behind scripts/: arguments, exit codes, output. What they do is in slipway/."""
