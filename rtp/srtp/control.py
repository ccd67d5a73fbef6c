"""The RTCP of one stream while its call lives: what comes is opened, what goes is sealed, if keys were agreed on."""

from rtp.srtp.keys import Epoch, Key
from rtp.srtp.opener import Opener
from rtp.srtp.transforms import Transform, transform


class Control:
    """SRTCP both ways; plain RTCP while there are no keys."""

    def __init__(self) -> None:
        self._epochs: list[Epoch] = []
        self._opener = Opener(self._epochs)
        self._own: Key | None = None
        self._transform: Transform | None = None
        self._index = 0
        """Goes on under a new key too."""

    def agree(self, ours: Key | None, theirs: tuple[Key, ...], time_ns: int) -> None:
        """Offer and answer took effect, UTC in nanoseconds; None and none: plain RTCP."""
        self._epochs.append((time_ns, theirs))
        if ours != self._own:
            self._own, self._transform = ours, transform(ours) if ours else None

    def open(self, packet: bytes, time_ns: int) -> bytes | None:
        """Return what came as RTCP; None: it opens with no key, or came before."""
        if not self._epochs or self._opener.is_plain(time_ns):
            return packet
        return self._opener.open_control(packet, time_ns)

    def seal(self, packet: bytes) -> bytes:
        """Return what is to be sent of a compound packet."""
        if self._transform is None:
            return packet
        self._index += 1
        return self._transform.protect_control(packet, self._index)
