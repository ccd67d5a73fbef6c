"""A capture worker: drains the sockets it was given into the capture files, and never waits for anything else."""
