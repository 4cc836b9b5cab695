"""The site's broker: the real Mosquitto on the files that a site is set up with, and its own client as the device."""

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import paho.mqtt.client as paho
import pytest
import yaml

from tests.fakes.holding_sink import HoldingSink
from tests.fakes.mosquitto import free_port, program
from tests.fakes.mqtt_box import bound_link, running

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
MAST, CRANE = "site/SITE-0001/mast-1", "site/SITE-0001/crane-2"
REFUSED = "Not authorized"
TAKEN = {"Success", "No matching subscribers"}


def make_secrets(folder, *words):
    command = [sys.executable, DEPLOY / "make-secrets", folder, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def made(folder, *words):
    done = make_secrets(folder, *words)
    assert done.returncode == 0, done.stderr
    return folder


class SiteBroker:
    """Mosquitto on `deploy/mosquitto/mosquitto.conf`; only paths and ports are the test's."""

    def __init__(self, folder, secrets):
        self.secrets, self.ca_file = secrets, secrets / "ca.crt"
        self.port, self.box_port = free_port(), free_port()
        self._conf, self._log_file = folder / "mosquitto.conf", folder / "log"
        text = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text()
        replaced = {
            "listener 8883": f"listener {self.port} 127.0.0.1",
            "listener 8884": f"listener {self.box_port} 127.0.0.1",
            "/mosquitto/access/": f"{secrets}/broker/",
            "/mosquitto/data/": f"{folder}/",
            "log_dest stdout": f"log_dest file {folder}/log",
        }
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new)
        self._conf.write_text(text + "log_type all\n" + ("user root\n" if os.geteuid() == 0 else ""))

    def __enter__(self):
        command = [program("mosquitto", "mosquitto"), "-c", self._conf]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_until(lambda: all(is_open(port) for port in (self.port, self.box_port)))
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)

    @property
    def log(self):
        return self._log_file.read_text()

    def wait_until(self, condition):
        for _ in range(500):
            if condition():
                return
            try:
                raise AssertionError(f"mosquitto ended with {self._process.wait(timeout=0.02)}:\n{self.log}")
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError(f"in vain:\n{self.log}")

    def reload(self):
        self._process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: "Reloading config." in self.log)

    def password(self, name):
        if name == "gateway":
            return (self.secrets / "mqtt-gateway-password").read_text().strip()
        return json.loads((self.secrets / "devices" / f"{name}.json").read_text())["password"]

    def connect(self, user="", password="", *, port=None, client_id="", lost=None):
        """The broker's answer to a connection over TLS, and the client."""
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
        client.tls_set_context(ssl.create_default_context(cafile=self.ca_file))
        if user:
            client.username_pw_set(user, password)
        answers = []
        client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.append(str(reason))
        if lost is not None:
            client.on_disconnect = lambda *_: lost.append(True)
        client.connect("127.0.0.1", port or self.port)
        serve(client, answers)
        return answers[0], client

    def device(self, name):
        answer, client = self.connect(name, self.password(name))
        assert answer == "Success"
        return client

    def pub(self, name, topic, *words, password=None):
        """mosquitto_pub, as a device that we did not write."""
        said = password or self.password(name)
        command = ["mosquitto_pub", "-h", "127.0.0.1", "-V", "5", "-q", "1", "-u", name, "-P", said, "-t", topic]
        return subprocess.run([*command, *words], capture_output=True, text=True, check=False, timeout=30)


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def serve(client, answers):
    """Run the client until something is in the list."""
    for _ in range(100):
        if answers:
            return
        client.loop(0.1)
    raise AssertionError("no answer from the broker")


def publish(client, topic):
    """The broker's word on one QoS 1 message."""
    words = []
    client.on_publish = lambda _client, _data, _mid, reason, _properties: words.append(str(reason))
    client.publish(topic, b"1", qos=1)
    serve(client, words)
    return words[0]


@pytest.fixture
def secrets(tmp_path):
    return made(tmp_path / "secrets", "--device", MAST, "--device", CRANE)


@pytest.fixture
def broker(secrets, tmp_path):
    with SiteBroker(tmp_path, secrets) as broker:
        yield broker


def test_there_is_no_listener_without_tls():
    text = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text()
    first, *listeners = text.split("\nlistener ")
    assert listeners
    assert all({"certfile", "keyfile"} <= {line.split(" ")[0] for line in each.splitlines()} for each in listeners)
    assert "allow_anonymous false" in first.splitlines()


@pytest.mark.parametrize("which", ["port", "box_port"])
def test_plain_mqtt_gets_no_answer(broker, which):
    """A CONNECT of MQTT 3.1.1 with the right password, written by hand."""
    user, password = b"mast-1", broker.password("mast-1").encode()
    named = b"\0\1m" + len(user).to_bytes(2) + user + len(password).to_bytes(2) + password
    head = b"\0\4MQTT\4\xc2\0\x3c"
    with socket.create_connection(("127.0.0.1", getattr(broker, which)), timeout=10) as plain:
        plain.sendall(b"\x10" + bytes([len(head + named)]) + head + named)
        try:
            answer = plain.recv(100)
        except ConnectionResetError:
            answer = b""
    assert not answer.startswith(b"\x20"), "a CONNACK"


def test_mosquittos_own_client_is_taken_over_tls_and_not_without(broker):
    own = ("-m", "1", "--cafile", broker.ca_file)
    assert broker.pub("mast-1", f"{MAST}/realtime", *own, "-p", str(broker.port)).returncode == 0
    assert broker.pub("mast-1", f"{MAST}/realtime", "-m", "1", "-p", str(broker.port)).returncode != 0
    system = broker.pub("mast-1", f"{MAST}/realtime", "-m", "1", "-p", str(broker.port), "--capath", "/etc/ssl/certs")
    assert system.returncode != 0, "it took a certificate of an authority that it does not know"


def test_mosquittos_own_client_is_told_that_it_speaks_for_another(broker):
    own = ("-m", "1", "--cafile", broker.ca_file, "-p", str(broker.port))
    assert REFUSED in broker.pub("mast-1", f"{CRANE}/realtime", *own).stderr
    assert REFUSED in broker.pub("mast-1", f"{MAST}/realtime", *own, password="wrong").stderr


def test_the_broker_knows_its_accounts_and_nobody_else(broker):
    password = broker.password("mast-1")
    answers = {}
    for who in [("mast-1", password), ("mast-1", "wrong"), ("crane-2", password), ("", ""), ("stranger", password)]:
        answers[who], client = broker.connect(*who)
        client.disconnect()
    assert list(answers.values()) == ["Success", REFUSED, REFUSED, REFUSED, REFUSED]


@pytest.mark.parametrize(
    ("name", "topic", "taken"),
    [
        ("mast-1", f"{MAST}/realtime", True),
        ("mast-1", MAST, True),
        ("mast-1", f"{CRANE}/realtime", False),
        ("mast-1", "site/SITE-0002/mast-1/realtime", False),
        ("mast-1", "site/SITE-0001/mast-10/realtime", False),
        ("mast-1", "sitewarden/box-1/alerts", False),
        ("mast-1", f"{CRANE}/command", False),
        ("gateway", f"{CRANE}/command", False),
        ("gateway", f"{MAST}/realtime", False),
        ("gateway", "sitewarden/box-1/alerts", True),
    ],
)
def test_everybody_publishes_under_their_own_topic_alone(broker, name, topic, taken):
    client = broker.device(name)
    word = publish(client, topic)
    client.disconnect()
    assert word in TAKEN if taken else word == REFUSED


def test_a_device_hears_nothing_of_the_others(broker):
    """Mosquitto grants any subscription and holds the messages back. What it had for a device would come before its
    answer to what the device says next."""
    heard = {"crane-2": [], "gateway": []}
    clients = {name: broker.device(name) for name in heard}
    for name, client in clients.items():
        granted = []
        client.on_message = lambda _client, _data, message, name=name: heard[name].append(message.topic)
        client.on_subscribe = lambda *_, granted=granted: granted.append(True)
        client.subscribe("#", qos=1)
        serve(client, granted)
    sender = broker.device("mast-1")
    assert publish(sender, f"{MAST}/realtime") == "Success"
    serve(clients["gateway"], heard["gateway"])
    publish(clients["crane-2"], f"{CRANE}/realtime")
    assert heard["gateway"] == [f"{MAST}/realtime"]
    assert heard["crane-2"] == []
    for client in (*clients.values(), sender):
        client.disconnect()


def test_a_device_does_not_take_over_the_boxs_session(broker):
    lost = []
    answer, box = broker.connect(
        "gateway", broker.password("gateway"), port=broker.box_port, client_id="sitewarden-site-broker", lost=lost
    )
    assert answer == "Success"
    answer, thief = broker.connect("mast-1", broker.password("mast-1"), client_id="sitewarden-site-broker")
    assert answer == "Success"
    assert publish(box, "sitewarden/box-1/alerts") in TAKEN
    assert lost == []
    for client in (box, thief):
        client.disconnect()


async def test_the_boxs_driver_reads_what_mosquittos_client_publishes(broker):
    """The link of the site file that is shipped; only where the broker stands is the test's."""
    site = yaml.safe_load((DEPLOY / "sites" / "site.yaml").read_text())
    (shipped,) = [link for link in site["links"] if link["driver"] == "mqtt"]
    assert shipped["tls"] == {"ca_file": "/run/secrets/mqtt-ca"}
    link = {key: value for key, value in shipped.items() if key not in ("host", "port")}
    link |= {"tls": {"ca_file": broker.ca_file}, "password": {"file": broker.secrets / "mqtt-gateway-password"}}
    sink = HoldingSink()
    async with running(bound_link(broker.box_port, topic=f"{MAST}/realtime", **link), sink):
        await asyncio.to_thread(broker.wait_until, lambda: "SUBACK to sitewarden-site-broker" in broker.log)
        own = ("-m", '{"w": 3.5, "t": 20}', "--cafile", broker.ca_file, "-p", str(broker.port))
        said = await asyncio.to_thread(broker.pub, "mast-1", f"{MAST}/realtime", *own)
        assert said.returncode == 0, said.stderr
        await sink.until(lambda: len(sink.readings) == 1)
    assert list(sink.readings[0].value) == [3.5, 20]


def test_a_running_broker_learns_of_devices_that_came_and_went(broker):
    made(broker.secrets, "--device", "site/SITE-0001/pit-3", "--remove-device", "crane-2")
    old = broker.password("mast-1")
    broker.reload()
    assert publish(broker.device("pit-3"), "site/SITE-0001/pit-3/realtime") in TAKEN
    assert broker.connect("mast-1", old)[0] == "Success"
    assert broker.connect("crane-2", "anything")[0] == REFUSED


def test_the_certificate_is_for_the_addresses_and_the_authority_stays(secrets):
    trusted = ("verify", "-x509_strict", "-CAfile", secrets / "ca.crt")
    before = (secrets / "ca.crt").read_bytes()
    assert "site/SITE-0001" not in made(secrets, "--address", "192.168.1.10", "--address", "box.lan").name
    for name in (["-verify_ip", "192.168.1.10"], ["-verify_hostname", "box.lan"], ["-verify_hostname", "broker"]):
        said = subprocess.run(["openssl", *trusted, *name, secrets / "broker" / "server.crt"], check=False)
        assert said.returncode == 0
    other = ["openssl", *trusted, "-verify_ip", "192.168.1.11", secrets / "broker" / "server.crt"]
    assert subprocess.run(other, check=False, capture_output=True).returncode != 0
    assert (secrets / "ca.crt").read_bytes() == before
    assert make_secrets(secrets, "--address", "192.168.1.10", "--address", "box.lan").stdout == ""


def test_what_the_containers_see_holds_no_key_of_the_authority_and_no_password(secrets):
    seen = {path.name: path.read_text() for path in (secrets / "broker").iterdir()}
    assert set(seen) == {"acl", "passwords", "server.crt", "server.key"}
    assert (secrets / "ca.key").read_text() not in seen.values()
    passwords = [json.loads(path.read_text())["password"] for path in (secrets / "devices").iterdir()]
    assert len(passwords) == 2
    assert not [password for password in passwords if password in seen["passwords"]]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--device", f"mast-2={MAST}"], "belongs to mast-1"),
        (["--device", f"{MAST}/wind"], "belongs to mast-1"),
        (["--device", "all=site"], "belongs to all"),
        (["--device", "mast-1=site/SITE-0001/mast-9"], "remove it first"),
        (["--device", "site/+/mast-3"], "without wildcards"),
        (["--device", "any=#"], "without wildcards"),
        (["--device", "any=$SYS"], "without wildcards"),
        (["--device", "box-2=sitewarden/box-2"], "of its own"),
        (["--device", "gateway=site/x"], "no name for a device"),
        (["--device", "a:b=site/x"], "no name for a device"),
        (["--device", "../x=site/x"], "no name for a device"),
        (["--remove-device", "mast-9"], "no device mast-9"),
        (["--address", "box_1"], "neither an IP address nor a host name"),
        (["--address", "box,DNS:regulator.example"], "neither an IP address nor a host name"),
    ],
)
def test_what_would_let_one_speak_for_another_is_refused(secrets, words, why):
    before = {path: path.read_bytes() for path in secrets.rglob("*") if path.is_file()}
    refused = make_secrets(secrets, *words)
    assert refused.returncode == 1
    assert why in refused.stderr
    assert "Traceback" not in refused.stderr
    assert {path: path.read_bytes() for path in secrets.rglob("*") if path.is_file()} == before


def test_a_password_that_was_made_anew_counts(secrets, tmp_path):
    (secrets / "devices" / "mast-1.json").unlink()
    made(secrets, "--device", MAST)
    with SiteBroker(tmp_path, secrets) as broker:
        broker.device("mast-1").disconnect()
