"""Records appended to a capture whole or not at all, whatever the disk does."""

import os
from contextlib import suppress


def append(capture: int, record: bytes | memoryview, written: int = 0) -> None:
    """Append a record to a descriptor with O_APPEND.

    Args:
        written: octets of it that are there already, at the end of the file.

    Raises:
        OSError: the disk does not take it; what it took before is removed again.
    """
    try:
        while written < len(record):
            written += os.write(capture, record[written:])
    except OSError:
        _take_back(capture, written)
        raise


def _take_back(capture: int, octets: int) -> None:
    """Remove the beginning of a record that was just appended: readers would take what follows for its rest.

    Not if another process has appended since, which is hardly possible on a full disk.
    """
    if octets == 0:
        return
    with suppress(OSError):  # the disk may refuse this too; a torn record costs no more than those not written
        end = os.lseek(capture, 0, os.SEEK_CUR)
        if os.fstat(capture).st_size == end:
            os.ftruncate(capture, end - octets)
