"""What is told of a running recorder: `[alarms]`, `[metrics]`."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from srs.config.values import Section, check_host_port, items, parse_host_port


class AlarmSettings(Section):
    no_audio_s: float = Field(
        default=10.0,
        ge=0,
        description="Seconds of a running call without any audio before an alarm is raised; 0: none.",
    )
    one_way_s: float = Field(
        default=30.0,
        ge=0,
        description="Seconds in which one leg is silent while another is heard before an alarm is raised; 0: none.",
    )

    mail: Annotated[list[str], BeforeValidator(items)] = Field(
        default=[], description="Addresses that alarms are mailed to, by the servers of `[mail]`."
    )
    webhook: str | None = Field(
        default=None, pattern=r"^https?://", description="URL that alarms are sent to, as JSON by POST."
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="What they are signed with, as in modules.md; without it they are not."
    )


class MetricsSettings(Section):
    listen: Annotated[str, AfterValidator(check_host_port)] | None = Field(
        default=None,
        description="Where Prometheus may fetch metrics, such as `127.0.0.1:9464`; without it nowhere.",
    )

    @property
    def address(self) -> tuple[str, int] | None:
        """Address and port."""
        return parse_host_port(self.listen) if self.listen else None
