"""Training samples made on the fly: cut-outs, masks and drawn mattes on backgrounds."""
