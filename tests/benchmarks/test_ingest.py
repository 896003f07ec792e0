"""Ingest beside the library alone: CPU of a process for a reading of QoS 1, taken over MQTT 5.

Workload: 50 sites of two devices, each payload `{"t": 21.4, "humidity": 45.1, "battery": 97}`,
30,000 messages as fast as they are taken, through a mosquitto as `deploy/mosquitto` configures it.
The floor is paho as it is with an empty callback, in a process of its own; ours decodes two
readings out of each, keeps them in the journal and aligns them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from benchmarks.measure import show
from chaos.blaster import Blaster
from conftest import Broker
from running import Running, patiently

MESSAGES = 30_000
ROUNDS = 3
SITES = 50
PAYLOAD = b'{"t": 21.4, "humidity": 45.1, "battery": 97}'

STOCK = """
import sys
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

heard = 0

def on_message(*_):
    global heard
    heard += 1
    if heard % int(sys.argv[2]) == 0:
        print("heard", flush=True)

client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
client.on_connect = lambda *_: client.subscribe("home/#", 1)
client.on_subscribe = lambda *_: print("ready", flush=True)
client.on_message = on_message
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()
"""

CONFIGURATION = """
[mqtt]
port = {port}
{mqtt}
[windows]
max_out_of_orderness = "2s"
[store]
path = "state.db"
{store}
[model]
path = "model.onnx"
[[sensors]]
topic = "home/{{site}}/{{device}}"
temperature = "t"
humidity = "humidity"
[web]
listen = "127.0.0.1:{web}"
"""

LIMITS = "max_inflight_messages 200", "max_queued_messages 100000", "set_tcp_nodelay true"


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used, in all its threads."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def blast(port: int, round_: int) -> None:
    blaster = Blaster(port, f"blaster-{round_}", v5=True)
    for place in range(MESSAGES):
        site, device = place % SITES, place // SITES % 2
        blaster.publish(f"home/site-{site}/device-{device}", PAYLOAD, 1)
    blaster.finish()
    blaster.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path, extra=LIMITS, verbose=False)
    made.start()
    yield made
    made.stop()


def stock(port: int) -> list[float]:
    """Microseconds of CPU a message, each round."""
    command = [sys.executable, "-c", STOCK, str(port), str(MESSAGES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        costs = []
        for round_ in range(ROUNDS):
            began = cpu(process.pid)
            blast(port, round_)
            assert process.stdout.readline() == "heard\n"
            costs.append((cpu(process.pid) - began) / MESSAGES * 1e6)
        process.kill()
    return costs


def ours(directory: Path, port: int, durability: str) -> list[float]:
    """Microseconds of CPU a message, each round."""
    directory.mkdir()
    store = f'durability = "{durability}"'
    daemon = Running(directory, port, configuration=CONFIGURATION, store=store)
    try:
        patiently(daemon.ready, "the daemon is ready")
        costs = []
        for round_ in range(ROUNDS):
            taken, began = daemon.metric("readings_total"), cpu(daemon.process.pid)
            blast(port, round_)
            goal = taken + 2 * MESSAGES
            patiently(lambda: daemon.metric("readings_total") >= goal, "all taken", 120)  # noqa: B023
            costs.append((cpu(daemon.process.pid) - began) / MESSAGES * 1e6)
    finally:
        daemon.stop()
    return costs


@pytest.mark.timeout(600)
def test_a_reading(broker: Broker, tmp_path: Path) -> None:
    floor = median(stock(broker.port))
    for durability in ("crash", "none"):
        costs = ours(tmp_path / durability, broker.port, durability)
        detail = f"{median(costs):.0f} us against {floor:.0f} us of CPU a message"
        show(f"ingest, durability {durability}", "stock paho", floor / median(costs), detail)
