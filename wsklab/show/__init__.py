"""Pictures of a run: timeline, object life, structure dump, and the *what if* panel.

Everything here only reads: the events of the trace and the bytes of the memory. Nothing here changes a machine.
"""
