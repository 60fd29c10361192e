"""Evidence: what was seen of a release, kept as a report for people and for programs."""
