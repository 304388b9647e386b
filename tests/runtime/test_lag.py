"""The lag of a consumer that does not run any more: its gauge must not keep the last value, or an alert fires when all is quiet."""

from services.operations.rebuild import rebuild
from services.runtime import gauges
from services.runtime.service import Service, running
from services.runtime.serving import build
from services.settings import Settings
from tests.helpers.waiting import eventually


def lag(service: Service, consumer: str) -> float | None:
    labels = {"service": service.name, "consumer": consumer}
    return service.metrics.registry.get_sample_value("ama_lag", labels)


async def test_a_generation_that_a_rebuild_replaced_has_no_lag(settings: Settings) -> None:
    service = build("analytics", settings)
    async with running(service, ["consume"]):
        # As a look finds it in the moment before the rebuild: five records are on their way.
        service.metrics.set_consumer_gauge("lag", "projections.g1", 5)
        await rebuild(service, lambda *_: None)

        async def followed() -> bool:
            return "projections.g2" in service.runners

        await eventually(followed)
        assert "projections.g1" not in service.runners
        await gauges.look(service.store, service.runners, service.metrics)
        assert lag(service, "projections.g1") is None
        assert lag(service, "projections.g2") is not None
