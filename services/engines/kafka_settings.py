"""Configuration of the embedded Kafka: its properties, with or without users, and its logging.

Invariant: with users, every listener asks for a password, also the controller's, so that no client avoids the ACLs. The
controller's is SASL/PLAIN, because the credentials of SCRAM are kept in the very log that the controller serves.
"""

from collections.abc import Mapping
from pathlib import Path

from services.engines.ports import LOOPBACK

MECHANISM = "SCRAM-SHA-512"
ADMIN = "admin"
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "CLIENT",
    # A topic that a first write makes would not have the number of partitions that the services expect.
    "auto.create.topics.enable": "false",
    # Topics are kept whole: a rebuild reads them from the first record.
    "log.retention.ms": "-1",
    # The default, 128 MB, is a third of the heap.
    "log.cleaner.dedupe.buffer.size": "16777216",
    # Replication factors of 1 throughout: the defaults of 3 cannot be met by one broker.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "10",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "10",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # The default makes each new group wait 3 s for further members; here all come from one process.
    "group.initial.rebalance.delay.ms": "0",
    # A broker that was killed is accepted again only after the end of its former session.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "4",
}
LOGGING = """\
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %m (%c)%n
appender.file.policies.type = SizeBasedTriggeringPolicy
appender.file.policies.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = file
"""


def properties(data: Path, port: int, controller_port: int, passwords: Mapping[str, str] | None) -> str:
    """Return the text of server.properties. `passwords`: the administrator's and the controller's; None: Kafka asks for none."""
    kind = "SASL_PLAINTEXT" if passwords else "PLAINTEXT"
    settings = SETTINGS | {
        "log.dirs": str(data),
        "listeners": f"CLIENT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"CLIENT://{LOOPBACK}:{port}",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listener.security.protocol.map": f"CLIENT:{kind},CONTROLLER:{kind}",
    }
    if passwords:
        settings |= _security(passwords)
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def logging(log: Path) -> str:
    """Return the text of log4j2.properties: at most 40 MB at `log`."""
    return LOGGING.format(log=log)


def _security(passwords: Mapping[str, str]) -> dict[str, str]:
    module = "org.apache.kafka.common.security"
    scram = f'{module}.scram.ScramLoginModule required username="{ADMIN}" password="{passwords["admin"]}";'
    plain = (
        f'{module}.plain.PlainLoginModule required username="{ADMIN}" '
        f'password="{passwords["controller"]}" user_{ADMIN}="{passwords["controller"]}";'
    )
    return {
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        f"listener.name.client.{MECHANISM.lower()}.sasl.jaas.config": scram,
        "listener.name.controller.plain.sasl.jaas.config": plain,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN}",
    }
