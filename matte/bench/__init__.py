"""How fast matte is here: each runtime, a whole process, and other programs beside it."""
