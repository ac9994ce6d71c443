"""Settings compared on one picture or many."""
