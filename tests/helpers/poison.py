"""An event that no consumer can take, at the next sequence of a worker: it stops that subject in every ordered consumer."""

import orjson
from aiokafka import AIOKafkaProducer

from services.contracts import Event, encode
from services.contracts.enrolment import WorkerReferred
from services.runtime.service import Service
from services.store.clock import now_utc


async def poison(enrolment: Service, programme: str, worker: str) -> None:
    """Put a referral with a wrong payload on the bus, as enrolment would put its next event of this worker. The event that enrolment
    records next has the same sequence, which stops the subject also where nobody handles a referral."""
    (stored,) = (await enrolment.store.by_id("worker", [f"{programme}/{worker}"])).values()
    sequence, at = stored["sequences"]["ama.enrolment"] + 1, now_utc()
    source = f"/programmes/{programme}/enrolment"
    wrong = Event(
        f"poison-{worker}", source, WorkerReferred.type, worker, at, at, sequence, WorkerReferred(partner="x")
    )
    value = orjson.dumps({**orjson.loads(encode(wrong)), "data": {"partner": 5}})
    producer = AIOKafkaProducer(**enrolment.bus.client(), acks="all")
    await producer.start()
    try:
        await producer.send_and_wait("ama.enrolment", value=value, key=worker.encode())
    finally:
        await producer.stop()


async def stopped(service: Service, worker: str) -> list[str]:
    """The consumers of the service that take nothing more of this worker."""
    found = service.store["marks"].find(
        {"subject_key": {"$regex": f"/enrolment[|]{worker}$"}, "stopped": {"$exists": True}}
    )
    return sorted([each["consumer"] async for each in found])
