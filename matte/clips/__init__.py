"""Video: frames one after another, through the same line as photos."""
