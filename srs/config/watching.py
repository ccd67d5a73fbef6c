"""What is told of a running recorder: `[alarms]`, `[metrics]`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from srs.config.values import Section, check_host_port, parse_host_port


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


class MetricsSettings(Section):
    listen: Annotated[str, AfterValidator(check_host_port)] | None = Field(
        default=None,
        description="Where Prometheus may fetch metrics, such as `127.0.0.1:9464`; without it nowhere.",
    )

    @property
    def address(self) -> tuple[str, int] | None:
        """Address and port."""
        return parse_host_port(self.listen) if self.listen else None
