"""A SIP user agent by pjsua2, an independent stack, in a process of its own: calls the recorder and plays a WAV.

python -m support.pjsua udp|tcp HOST PORT WAV SECONDS [CODEC [SUITE [ILBC_MODE]]]
"""

import os
import sys
import time
from typing import NoReturn

import pjsua2 as pj


class Call(pj.Call):  # type: ignore[misc]
    """Plays the file as soon as the sound is up."""

    def __init__(self, account: pj.Account, wav: str) -> None:
        super().__init__(account)
        self.player, self.wav, self.status = pj.AudioMediaPlayer(), wav, 0

    def onCallMediaState(self, _: pj.OnCallMediaStateParam) -> None:  # noqa: N802 - pjsua2's name
        info = self.getInfo()  # held: its media live no longer than it does
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO:
                self.player.createPlayer(self.wav, pj.PJMEDIA_FILE_NO_LOOP)
                self.player.startTransmit(self.getAudioMedia(index))

    def onCallState(self, _: pj.OnCallStateParam) -> None:  # noqa: N802 - pjsua2's name
        self.status = self.getInfo().lastStatusCode


def main(
    transport: str,
    host: str,
    port: str,
    wav: str,
    seconds: str,
    wanted: str = "PCMU/8000",
    suite: str = "",
    ilbc_mode: str = "30",
) -> NoReturn:
    endpoint = _endpoint(int(ilbc_mode))
    bound = pj.TransportConfig()
    bound.boundAddress = host
    kind = pj.PJSIP_TRANSPORT_UDP if transport == "udp" else pj.PJSIP_TRANSPORT_TCP
    endpoint.transportCreate(kind, bound)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    for codec in endpoint.codecEnum2():
        endpoint.codecSetPriority(codec.codecId, 255 if codec.codecId.startswith(wanted) else 0)
    account_config = pj.AccountConfig()
    account_config.idUri = f'"Ann" <sip:ann@{host}>'
    account_config.mediaConfig.transportConfig.boundAddress = host
    if suite:
        _secure(account_config.mediaConfig, suite)
    account = pj.Account()
    account.create(account_config)
    call = Call(account, wav)
    options = pj.CallOpParam(True)
    call.makeCall(f"sip:srs@{host}:{port};transport={transport}", options)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        endpoint.libHandleEvents(10)
    status = call.status
    call.hangup(pj.CallOpParam())
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        endpoint.libHandleEvents(10)
    sys.stdout.write(f"{status}\n")
    sys.stdout.flush()
    os._exit(0 if status == 200 else 1)  # with all objects alive: pjsua2's destructors abort once a call is over


def _endpoint(ilbc_mode: int) -> pj.Endpoint:
    """
    Args:
        ilbc_mode: milliseconds of a frame.
    """
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
    config.logConfig.level = config.logConfig.consoleLevel = 2
    config.medConfig.clockRate, config.medConfig.noVad, config.medConfig.ecTailLen = 8000, True, 0
    config.medConfig.ilbcMode = ilbc_mode
    endpoint.libInit(config)
    return endpoint


def _secure(config: pj.AccountMediaConfig, suite: str) -> None:
    """SRTP with that suite and no other."""
    config.srtpUse, config.srtpSecureSignaling = pj.PJMEDIA_SRTP_MANDATORY, 0
    crypto, keyings = pj.SrtpCrypto(), pj.IntVector()
    crypto.name = suite
    keyings.append(pj.PJMEDIA_SRTP_KEYING_SDES)
    config.srtpOpt.cryptos.append(crypto)
    config.srtpOpt.keyings = keyings


if __name__ == "__main__":
    main(*sys.argv[1:])
