"""wsklab: run Windows kernel networking and driver I/O code on a simulated machine."""
