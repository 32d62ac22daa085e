#!/usr/bin/env bash
# How long the handler takes from the start of its process to its first answer, which is its part of a cold start, and
# what it weighs: size of the program, and memory at rest after that answer.
#
#     benches/startup.sh
#
# Builds the program in release as it ships to Azure (without the emulator) and as it runs on a laptop, and starts each
# 20 times as `widgetco serve` on a free port of 127.0.0.1. The store's address is an example that is never reached: the
# handler connects when the store is first used, so no network is needed. A client asks for `GET /` in a tight loop, as
# the Functions host does while it waits, and the clock stops when the first 200 is read. The program's file is in the
# page cache after the first start; a first start on a new machine also reads it from disk.
#
# Needs python3 (its standard library alone). Ends only the processes that it started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target="${CARGO_TARGET_DIR:-target}"
kept="$(mktemp -d)"
trap 'rm -r "$kept"' EXIT

# The full build comes last, so that it is what remains in the target folder.
echo "==> building without the emulator" >&2
cargo build --release --locked --no-default-features
cp "$target/release/widgetco" "$kept/lean"
echo "==> building with the emulator" >&2
cargo build --release --locked
cp "$target/release/widgetco" "$kept/full"

python3 - "$kept/lean" "without the emulator (Azure)" "$kept/full" "with the emulator (laptop)" <<'PYTHON'
import os
import socket
import statistics
import subprocess
import sys
import time

STARTS = 20
TIMEOUT_S = 10.0
POLL_S = 0.0001
REST_S = 0.2
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    """True once the handler answers; False while nobody listens yet."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
            connection.sendall(REQUEST)
            answer = connection.recv(4096)
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    if not answer.startswith(b"HTTP/1.1 200 "):
        sys.exit(f"GET / is answered with {answer[:100]!r}")
    return True


def resident_kib(process):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def start(program):
    """Milliseconds to the first answer, and KiB in memory afterwards."""
    port = free_port()
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "COSMOS_ENDPOINT": "https://example.documents.azure.com:443/",
    }
    command = [program, "serve", "--port", str(port)]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not answers(port):
            if process.poll() is not None:
                sys.exit(f"{' '.join(command)} ended with {process.returncode}")
            if time.perf_counter() - started > TIMEOUT_S:
                sys.exit(f"{' '.join(command)} does not answer")
            time.sleep(POLL_S)
        latency_ms = (time.perf_counter() - started) * 1000
        time.sleep(REST_S)
        return latency_ms, resident_kib(process)
    finally:
        process.kill()
        process.wait()


print(f"{'build':30} {'median ms':>10} {'worst ms':>10} {'size MiB':>10} {'memory MiB':>11}")
for program, name in zip(sys.argv[1::2], sys.argv[2::2]):
    latencies, memory = zip(*(start(program) for _ in range(STARTS)))
    print(
        f"{name:30} {statistics.median(latencies):10.1f} {max(latencies):10.1f}"
        f" {os.path.getsize(program) / 2**20:10.2f} {statistics.median(memory) / 1024:11.1f}"
    )
PYTHON
