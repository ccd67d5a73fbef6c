"""What happens to a recording after the call: kept for its period, mailed, copied, sent on, deleted.

What is to happen stands in the database as tasks, written with the recording itself; workers take them by lease.
"""
