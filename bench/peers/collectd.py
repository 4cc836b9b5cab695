"""collectd with its modbus and mqtt plugins, from Debian: one request and one message a value."""

from pathlib import Path

from bench.peers.running import Counter, Field, NotInstalled, run_peer

DAEMON = Path("/usr/sbin/collectd")
DATA = """<Data "p{i}">
RegisterBase {address}
RegisterType Float
RegisterCmd ReadHolding
Type gauge
Instance "p{i}"
</Data>
"""
HOST = """<Host "d{i}">
Address "127.0.0.1"
Port "{port}"
Interval {interval_s}
<Slave 1>
Instance "d{i}"
{collect}
</Slave>
</Host>
"""
WHOLE = """Hostname "bench"
FQDNLookup false
BaseDir "{folder}"
PIDFile "{folder}/pid"
PluginDir "/usr/lib/collectd"
TypesDB "/usr/share/collectd/types.db"
Interval {interval_s}
ReadThreads 20
WriteThreads 2
LoadPlugin modbus
<Plugin modbus>
{data}
{hosts}
</Plugin>
LoadPlugin mqtt
<Plugin mqtt>
<Publish "p">
Host "127.0.0.1"
Port {broker_port}
ClientId "collectd"
QoS 1
Prefix "collectd"
StoreRates true
Retain false
</Publish>
</Plugin>
"""


def collectd(field: Field, folder: Path, seconds: float) -> dict[str, object]:
    """Run and measure it."""
    if not DAEMON.exists():
        raise NotInstalled("collectd is not here: apt-get install collectd-core libmodbus5 libmosquitto1")
    (folder / "collectd.conf").write_text(_configuration(field, folder))
    counter = Counter(field.broker_port, "collectd/#", lambda _payload: 1)
    try:
        return run_peer([str(DAEMON), "-f", "-C", str(folder / "collectd.conf")], folder, {}, counter, seconds)
    finally:
        counter.close()


def _configuration(field: Field, folder: Path) -> str:
    interval_s = field.poll_ms / 1000
    collect = "\n".join(f'Collect "p{i}"' for i in range(field.points))
    return WHOLE.format(
        folder=folder,
        interval_s=interval_s,
        broker_port=field.broker_port,
        data="".join(DATA.format(i=i, address=2 * i) for i in range(field.points)),
        hosts="".join(
            HOST.format(i=i, port=port, interval_s=interval_s, collect=collect) for i, port in enumerate(field.ports)
        ),
    )
