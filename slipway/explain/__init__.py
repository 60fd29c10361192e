"""What a release would change: the files and settings of each service, against what serves."""
