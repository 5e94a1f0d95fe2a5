"""Measures Conclave beside nginx and moto: one Markdown table from one run. Started by ./Benchmarks/run."""
from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import string
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator, List, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests" / "Clients"))

import boto3  # noqa: E402
from support.node import REPOSITORY, Node, plain_environment  # noqa: E402
from support.waiting import wait_for  # noqa: E402
from support.wire import Closed, Connection  # noqa: E402

HERE = Path(__file__).resolve().parent

CONNECTIONS = 64
VALUE_BYTES = 1024
# A PutSecretValue run spreads over secrets so that none nears the limit of about 100 versions.
VERSIONS_PER_SECRET = 60
PAGE = 100
# Refusals of each kind whose times are compared; signed once, so they have to fit into the five minutes of a signature.
REFUSAL_ROUNDS = 20_000

# What the project promises.
NGINX_SHARE = 0.5
MOTO_TIMES = 50
MEMORY_MIB = 150
START_SECONDS = 2
PAGE_MILLISECONDS = 20


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def value() -> str:
    """1 KiB of letters and digits."""
    letters = string.ascii_letters + string.digits
    return "".join(letters[byte % len(letters)] for byte in os.urandom(VALUE_BYTES))


# ---------------------------------------------------------------- load


@dataclass
class Load:
    """One run of wrk."""

    requests_per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    server_cores: float
    load_cores: float


def cpu_seconds(pids: List[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wrk(url: str, script: str, arguments: List[str], *, seconds: int, threads: int, pids: List[int]) -> Load:
    before, children = cpu_seconds(pids), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["wrk", "-t", str(threads), "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--timeout", "10s", "-s", str(HERE / script), url, "--", *arguments],
        capture_output=True, text=True, timeout=seconds + 60, env=plain_environment(),
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        raise SystemExit(f"wrk failed: {done.stdout}{done.stderr}")
    result = json.loads(line[len("RESULT "):])
    if result["refused"] or not result["requests"]:
        raise SystemExit(f"{url} refused requests: {result}")
    if result["broken"]:
        say(f"  note: {result['broken']} broken connections at {url}")
    wall = result["microseconds"] / 1e6
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    return Load(
        result["requests"] / wall, result["p50"] / 1e3, result["p99"] / 1e3, (cpu_seconds(pids) - before) / wall, used / wall,
    )


def median(loads: List[Load], of: Callable[[Load], float]) -> float:
    return statistics.median(of(load) for load in loads)


# ---------------------------------------------------------------- peers


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def process(command: List[str], log: Path) -> Iterator[subprocess.Popen]:
    with open(log, "wb") as output:
        running = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=plain_environment())
    try:
        yield running
    finally:
        running.terminate()
        running.wait(30)


def children_of(pid: int) -> List[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


NGINX = """
daemon off;
pid {place}/pid;
error_log {place}/error.log;
worker_processes {workers};
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    default_type application/x-amz-json-1.1;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_protocols TLSv1.3;
        ssl_certificate {place}/certificate.pem;
        ssl_certificate_key {place}/key.pem;
        location / {{ return 200 "{body}"; }}
    }}
}}
"""


@contextmanager
def nginx(place: Path, workers: int, body_bytes: int) -> Iterator[tuple]:
    """nginx with a static body of that size over TLS 1.3: (url, worker process ids)."""
    place.mkdir()
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-keyout", str(place / "key.pem"), "-out", str(place / "certificate.pem"),
        ],
        check=True, capture_output=True,
    )
    port = free_port()
    (place / "nginx.conf").write_text(NGINX.format(place=place, workers=workers, port=port, body="x" * body_bytes))
    with process(["/usr/sbin/nginx", "-p", str(place), "-c", str(place / "nginx.conf")], place / "log") as running:
        def listening() -> bool:
            if running.poll() is not None:
                raise SystemExit(f"nginx ended: {(place / 'log').read_text()}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return False
            return len(children_of(running.pid)) == workers

        wait_for(listening, 20, "nginx")
        yield f"https://127.0.0.1:{port}", children_of(running.pid)


@contextmanager
def moto(place: Path) -> Iterator[tuple]:
    """moto_server, which speaks plain HTTP and checks no signature: (url, process ids)."""
    place.mkdir()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], place / "log") as running:
        def answers() -> bool:
            if running.poll() is not None:
                raise SystemExit(f"moto ended: {(place / 'log').read_text()}")
            try:
                return urllib.request.urlopen(f"{url}/moto-api/", timeout=2).status == 200
            except OSError:
                return False

        wait_for(answers, 60, "moto")
        yield url, [running.pid]


# ---------------------------------------------------------------- the table


@dataclass
class Table:
    rows: List[list] = field(default_factory=list)

    def add(self, what: str, ours: str, peer: str = "", ratio: str = "", goal: str = "", met: Optional[bool] = None) -> None:
        self.rows.append([what, ours, peer, ratio, goal, "" if met is None else "met" if met else "**missed**"])
        say(f"  {what}: {ours} {peer} {ratio}")

    def markdown(self) -> str:
        head = ["measurement", "Conclave", "peer", "ratio", "goal", ""]
        lines = [head, ["---", "---:", "---:", "---:", "---:", "---"], *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# ---------------------------------------------------------------- what is measured


def measure_reads(table: Table, place: Path, loops: int, quick: bool) -> None:
    rounds, seconds, moto_seconds = (2, 6, 4) if quick else (5, 10, 6)
    node = Node(place / "node", options=["--event-loops", str(loops)], log_level="info")
    node.init()
    node.start()
    try:
        secret = value()
        node.client().create_secret(Name="read", SecretString=secret)
        answer = node.call("GetSecretValue", {"SecretId": "read"})
        assert answer.status == 200 and answer.json["SecretString"] == secret
        with nginx(place / "nginx", loops, len(answer.body)) as (nginx_url, nginx_pids), moto(place / "moto") as (moto_url, moto_pids):
            boto3.client(
                "secretsmanager", endpoint_url=moto_url, region_name=node.region, aws_access_key_id="x", aws_secret_access_key="x"
            ).create_secret(Name="read", SecretString=secret)
            ours: List[Load] = []
            theirs: List[Load] = []
            motos: List[Load] = []
            for number in range(rounds):
                say(f"GetSecretValue, round {number + 1} of {rounds}")
                request = place / "request"
                request.write_bytes(node.sign("GetSecretValue", {"SecretId": "read"}).render())
                common = dict(script="get.lua", arguments=[str(request)], threads=loops)
                ours.append(wrk(node.endpoint, seconds=seconds, pids=[node.pid], **common))
                theirs.append(wrk(nginx_url, seconds=seconds, pids=nginx_pids, **common))
                motos.append(wrk(moto_url, seconds=moto_seconds, pids=moto_pids, **common))
    finally:
        node.end()
    rate, nginx_rate, moto_rate = (median(loads, lambda load: load.requests_per_second) for loads in (ours, theirs, motos))
    what = f"GetSecretValue, {VALUE_BYTES} B value, {CONNECTIONS} connections"
    table.add(
        f"{what}: requests/s; peer nginx, {len(answer.body)} B static over TLS 1.3", f"{rate:,.0f}", f"{nginx_rate:,.0f}",
        f"{rate / nginx_rate:.2f}", f">= {NGINX_SHARE}", rate / nginx_rate >= NGINX_SHARE,
    )
    table.add(
        f"{what}: requests/s; peer moto_server, plain HTTP, no signature check", f"{rate:,.0f}", f"{moto_rate:,.0f}",
        f"{rate / moto_rate:.0f}x", f">= {MOTO_TIMES}x", rate / moto_rate >= MOTO_TIMES,
    )
    for name, of in (("p50", lambda load: load.p50_milliseconds), ("p99", lambda load: load.p99_milliseconds)):
        table.add(f"{what}: {name}, ms; peer nginx", f"{median(ours, of):.2f}", f"{median(theirs, of):.2f}")
    table.add(
        "cores busy in that run (server + load generator); peer nginx",
        f"{median(ours, lambda load: load.server_cores):.2f} + {median(ours, lambda load: load.load_cores):.2f}",
        f"{median(theirs, lambda load: load.server_cores):.2f} + {median(theirs, lambda load: load.load_cores):.2f}",
    )


def token(number: int) -> str:
    return f"{number:032d}"


def load_all(node: Node, operation: str, bodies: List[dict], *, connections: int = 32, depth: int = 8) -> float:
    """Sends all of them, each once, over kept connections with some in flight on each; every answer must be 200.
    Seconds that it took."""
    chunks = iter([bodies[start : start + depth] for start in range(0, len(bodies), depth)])
    lock, failures = threading.Lock(), []
    context = node.tls_context()

    def work() -> None:
        try:
            with Connection(("127.0.0.1", node.port), context, timeout=60) as connection:
                while True:
                    with lock:
                        chunk = next(chunks, None)
                    if chunk is None or failures:
                        return
                    connection.send(b"".join(node.sign(operation, members).render() for members in chunk))
                    for _ in chunk:
                        answer = connection.read_answer()
                        if answer.status != 200:
                            raise AssertionError(f"{operation}: {answer.status} {answer.body[:300]!r}")
        except BaseException as error:
            failures.append(error)

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.monotonic() - began


def measure_writes(table: Table, place: Path, loops: int, quick: bool) -> None:
    seconds, count = (8, 60_000) if quick else (20, 150_000)
    say(f"PutSecretValue, up to {seconds} s")
    node = Node(place / "writes", options=["--event-loops", str(loops)], log_level="info")
    node.init()
    node.start()
    try:
        secrets = count // VERSIONS_PER_SECRET
        load_all(node, "CreateSecret", [{"Name": f"put/{number:06d}", "ClientRequestToken": token(number)} for number in range(secrets)])
        text = value()
        requests = [
            node.sign(
                "PutSecretValue",
                {"SecretId": f"put/{number % secrets:06d}", "ClientRequestToken": token(10**9 + number), "SecretString": text},
            ).render()
            for number in range(count)
        ]
        assert len({len(request) for request in requests}) == 1, "requests of one length were expected"
        file = place / "writes.requests"
        file.write_bytes(b"".join(requests))
        load = wrk(
            node.endpoint, "each_once.lua", [str(file), str(len(requests[0])), str(loops)], seconds=seconds, threads=loops, pids=[node.pid]
        )
        file.unlink()
    finally:
        node.end()
    what = f"PutSecretValue, {VALUE_BYTES} B value, {CONNECTIONS} clients, synced to disk"
    table.add(f"{what}: requests/s", f"{load.requests_per_second:,.0f}")
    table.add(f"{what}: p50 / p99, ms", f"{load.p50_milliseconds:.2f} / {load.p99_milliseconds:.2f}")


def seconds_until_first_answer(node: Node) -> float:
    """From the start of the process to a signed answer with a value."""
    began = time.monotonic()
    node.start(wait=False)
    address = node.data / "address"
    while time.monotonic() - began < 120:
        try:
            node.port = int(address.read_text().strip().rpartition(":")[2])
            with node.connect() as connection:
                answer = connection.exchange(node.sign("GetSecretValue", {"SecretId": "size/000000"}).render())
            assert answer.status == 200, answer.body
            return time.monotonic() - began
        except (FileNotFoundError, ValueError, OSError, Closed):
            time.sleep(0.001)
    raise AssertionError("the node does not come back")


def page_milliseconds(node: Node) -> tuple:
    """The first, the middle and the last page of the whole list, each the median of nine; and the number of secrets listed."""
    with node.connect(timeout=60) as connection:
        def page(start: Optional[str]) -> dict:
            members = {"MaxResults": PAGE, **({"NextToken": start} if start else {})}
            answer = connection.exchange(node.sign("ListSecrets", members).render())
            assert answer.status == 200, answer.body
            return answer.json

        starts: List[Optional[str]] = [None]
        listed = 0
        while True:
            answer = page(starts[-1])
            listed += len(answer["SecretList"])
            if "NextToken" not in answer:
                break
            starts.append(answer["NextToken"])
        times = []
        for start in (starts[0], starts[len(starts) // 2], starts[-1]):
            members = {"MaxResults": PAGE, **({"NextToken": start} if start else {})}
            request = node.sign("ListSecrets", members).render()
            taken = []
            for _ in range(9):
                began = time.perf_counter()
                assert connection.exchange(request).status == 200
                taken.append((time.perf_counter() - began) * 1e3)
            times.append(statistics.median(taken))
    return tuple(times), listed


def measure_sizes(table: Table, place: Path, loops: int, sizes: List[int]) -> None:
    node = Node(place / "sizes", options=["--event-loops", str(loops)], log_level="info")
    node.init()
    node.start()
    loaded = 0
    try:
        for size in sizes:
            say(f"{size:,} secrets")
            text = value()
            seconds = load_all(
                node, "CreateSecret",
                [
                    {"Name": f"size/{number:06d}", "ClientRequestToken": token(number), "SecretString": f"{number:08d}{text[8:]}"}
                    for number in range(loaded, size)
                ],
            )
            rate = (size - loaded) / seconds
            loaded = size
            pages, listed = page_milliseconds(node)
            assert listed == size, f"{listed} of {size} secrets are listed"
            memory = node.memory() / 2**20
            node.kill()
            start = seconds_until_first_answer(node)
            again = node.memory() / 2**20
            what = f"{size:,} secrets of {VALUE_BYTES} B"
            table.add(f"{what}: loaded through the API by one Python process, secrets/s", f"{rate:,.0f}")
            table.add(
                f"{what}: memory apart from the page cache after loading / after a restart, MiB", f"{memory:.0f} / {again:.0f}",
                goal=f"< {MEMORY_MIB}", met=max(memory, again) < MEMORY_MIB,
            )
            table.add(f"{what}: from start (after kill -9) to the first signed answer, s", f"{start:.2f}", goal=f"< {START_SECONDS}", met=start < START_SECONDS)
            table.add(
                f"{what}: ListSecrets page of {PAGE}, first / middle / last, ms", " / ".join(f"{page:.1f}" for page in pages),
                goal=f"< {PAGE_MILLISECONDS}", met=max(pages) < PAGE_MILLISECONDS,
            )
    finally:
        node.end()


def measure_refusals(table: Table, place: Path, loops: int) -> None:
    """Whether the time of a refusal tells an access key that exists from one that does not (threat model N31)."""
    node = Node(place / "refusals", options=["--event-loops", str(loops)], log_level="info")
    node.init()
    node.start()
    try:
        body = {"SecretId": "read"}
        good = node.sign("GetSecretValue", body).render()

        def altered(old: bytes, new: bytes) -> bytes:
            assert len(old) == len(new) and good.count(old) == 1
            return good.replace(old, new)

        key = node.access_key_id.encode()
        at = good.index(b"Signature=") + len(b"Signature=")
        first, last = good[at:at + 1], good[at + 63:at + 64]
        flip = lambda digit: b"0" if digit != b"0" else b"1"  # noqa: E731
        kinds = {
            "unknown key": altered(key, key[:-1] + (b"Q" if key[-1:] != b"Q" else b"R")),
            "first digit wrong": good[:at] + flip(first) + good[at + 1:],
            "last digit wrong": good[:at + 63] + flip(last) + good[at + 64:],
        }
        times: dict = {name: [] for name in kinds}
        with node.connect() as connection:
            for number in range(REFUSAL_ROUNDS):
                # A right one first: a row of wrong ones would be slowed down.
                assert connection.exchange(good).json["__type"] == "ResourceNotFoundException"
                names = list(kinds)
                for name in names[number % 3:] + names[:number % 3]:
                    began = time.perf_counter_ns()
                    answer = connection.exchange(kinds[name])
                    times[name].append(time.perf_counter_ns() - began)
                    assert answer.status == 400
    finally:
        node.end()
    medians = {name: statistics.median(taken) / 1e3 for name, taken in times.items()}
    spread = (max(medians.values()) - min(medians.values())) / min(medians.values()) * 100
    table.add(
        f"refusals, {' / '.join(medians)}: median, us, of {REFUSAL_ROUNDS:,} each, seen by a client on this machine",
        " / ".join(f"{median:.1f}" for median in medians.values()), ratio=f"{spread:.1f} % apart",
    )


def machine() -> str:
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "unknown")
    return f"{os.cpu_count()} cores, {model}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sizes", type=lambda text: [int(size) for size in text.split(",")])
    parser.add_argument("--event-loops", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    options = parser.parse_args()
    sizes = options.sizes or ([1_000, 10_000] if options.quick else [1_000, 10_000, 100_000])
    began = time.monotonic()
    table = Table()
    # In the tree, not in a /tmp that may be memory: what is synced shall go to a disk.
    state = REPOSITORY / ".conclave"
    state.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=state) as folder:
        place = Path(folder)
        measure_reads(table, place, options.event_loops, options.quick)
        measure_writes(table, place, options.event_loops, options.quick)
        measure_sizes(table, place, options.event_loops, sizes)
        if not options.quick:
            measure_refusals(table, place, options.event_loops)
    print(
        f"\n{machine()}; {options.event_loops} event loop(s), as many nginx workers and wrk threads; TLS 1.3 keep-alive, every request's "
        f"signature verified in full; one signed request replayed; rounds interleaved, medians; {time.monotonic() - began:.0f} s in all.\n"
    )
    print(table.markdown())


if __name__ == "__main__":
    main()
