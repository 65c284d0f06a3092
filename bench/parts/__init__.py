"""One file per part of the benchmark; each measures and returns its rows."""
