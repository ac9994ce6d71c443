"""Networks in, arrays out: one file for each runtime, all behind the Session protocol."""
