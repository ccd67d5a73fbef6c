"""SRTP and SRTCP (RFC 3711, RFC 6188, RFC 7714) as a recorder needs them: what came is opened, own reports are sealed.

Ours, on the AES of OpenSSL: libsrtp, as Python has it, knows neither AES-256 in counter mode nor MKIs, and cannot be
told a rollover counter. That of a stream whose beginning was missed must be found out, since SDES does not tell it.
"""

from rtp.srtp.control import Control
from rtp.srtp.keys import SUITES, Epoch, Key, Suite
from rtp.srtp.opener import Opener
from rtp.srtp.transforms import transform

__all__ = ["SUITES", "Control", "Epoch", "Key", "Opener", "Suite", "transform"]
