"""scripts/doctor: what is wrong with the machine and the stacks, and what may be thrown away.

`collect` gathers facts at the edge, the checks judge them, `report` tells what they found;
`retention` says what no release needs any more, `prune` removes it.
"""
