"""Memory of the keeper for the receive batches of a worker, so that what is in them outlives the worker.

No numpy here: `rtp.batch` knows what is in it, and how large it is.
"""

import mmap
import os

VERSIONS = (4, 6)
"""Of IP; a batch for each."""


def reserve() -> list[int]:
    """Descriptors of empty memory, one for each version."""
    return [os.memfd_create(f"srs-batch-{version}", os.MFD_CLOEXEC) for version in VERSIONS]


def attach(descriptors: list[int], sizes: list[int]) -> dict[int, memoryview]:
    """Map the memory of a worker, as its predecessor left it; closes the descriptors.

    What another release of the recorder left in another size is given up.

    Raises:
        OSError: there is not so much memory.
    """
    memory = {}
    for version, descriptor, size in zip(VERSIONS, descriptors, sizes, strict=True):
        if os.fstat(descriptor).st_size != size:
            os.ftruncate(descriptor, 0)
            os.ftruncate(descriptor, size)
        memory[version] = memoryview(mmap.mmap(descriptor, size))
        os.close(descriptor)
    return memory
