"""Video files in and out, by PyAV: `clip` reads, `writer` writes."""
