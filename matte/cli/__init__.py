"""The `matte` command: one file for each subcommand."""
