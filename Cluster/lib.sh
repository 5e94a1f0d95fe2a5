# Shared by the scripts of this folder, Tests/run and Benchmarks/run. Sourced, never run.
# Everything that is kept lies in .conclave/ (or CONCLAVE_STATE_DIR):
#   .conclave/env                       what `source` needs, mode 0600
#   .conclave/<region>/env              the same, of one region
#   .conclave/<region>/node-N/pid,log,data
#   .conclave/<region>/node-N/listen,peer-listen,ops-listen   its addresses, kept for good
#   .conclave/<region>/node-N/joined                          it has been a member of the cluster
# shellcheck shell=bash

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
state="${CONCLAVE_STATE_DIR:-$root/.conclave}"
venv="${CONCLAVE_VENV:-$root/.venv}"
binary="${CONCLAVE_BINARY:-$root/.build/release/conclave}"
requirements="$root/Tests/Clients/requirements.txt"

# How long a node may take to answer its first request, or to finish its last one.
start_deadline_seconds=60
stop_deadline_seconds=40
# The first port that is tried for a node. Below the range from which the system gives ports to
# outgoing connections (32768 and up), so that the port stays free while the node is down.
first_port=7443
last_port=7642

# ---------------------------------------------------------------- words and times

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

seconds_now() {
    date +%s.%N
}

# seconds_since START: one decimal.
seconds_since() {
    awk -v a="$1" -v b="$(seconds_now)" 'BEGIN { printf "%.1f", b - a }'
}

# begin "1/6" "System packages": opens a step. end "what happened": closes it with its time.
begin() {
    step_number="$1"
    step_name="$2"
    step_started="$(seconds_now)"
    echo "[$step_number] $step_name ..."
}

end() {
    echo "[$step_number] $step_name: $1 ($(seconds_since "$step_started") s)"
}

# ---------------------------------------------------------------- what the machine needs

need_swift() {
    command -v swift >/dev/null 2>&1 \
        || fail "the Swift toolchain is missing: install Swift 6.2 or later (swift.org/install) and put it on the PATH."
}

# as_root COMMAND...: as it is when we are root, else through sudo.
as_root() {
    if [[ "$(id -u)" == 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        return 1
    fi
}

# missing_packages: Debian names of what is not there yet, by what is really looked for.
missing_packages() {
    local include
    for include in "openssl/ssl.h libssl-dev" "lmdb.h liblmdb-dev"; do
        # shellcheck disable=SC2086 # two words on purpose: header, package
        set -- $include
        compgen -G "/usr/include/$1" >/dev/null || compgen -G "/usr/include/*/$1" >/dev/null \
            || compgen -G "/usr/local/include/$1" >/dev/null || echo "$2"
    done
    command -v curl >/dev/null 2>&1 || echo curl
    command -v openssl >/dev/null 2>&1 || echo openssl
    if ! command -v python3 >/dev/null 2>&1; then
        echo python3
        echo python3-venv
    elif ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
        echo python3-venv
    fi
}

# fault_packages: what the faults of ./Cluster/chaos need and is not there: namespaces and filters as root, file systems
# in files, and a clock that jumps.
fault_packages() {
    [[ "$(id -u)" == 0 ]] || return 0
    command -v ip >/dev/null 2>&1 || echo iproute2
    command -v nft >/dev/null 2>&1 || echo nftables
    command -v mkfs.ext4 >/dev/null 2>&1 || echo e2fsprogs
    compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || echo faketime
}

# install_packages NAME...: with apt, and an index that is fetched only when the first try fails.
install_packages() {
    command -v apt-get >/dev/null 2>&1 \
        || fail "this system has no apt-get: please install by hand what these Debian packages hold: $*."
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -q --no-install-recommends "$@" >/dev/null 2>&1 && return
    as_root apt-get update -q >/dev/null \
        || fail "cannot install $*: run this as root, or install sudo, or install them by hand."
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -q --no-install-recommends "$@" >/dev/null \
        || fail "apt-get could not install: $*."
}

# ensure_packages [MORE...]: what the build and the scripts need, and these. Sets `packages_result`.
# shellcheck disable=SC2034,SC2120 # read by the scripts that source this; the arguments are optional
ensure_packages() {
    local wanted=() name
    while read -r name; do
        [[ -z "$name" ]] || wanted+=("$name")
    done < <(missing_packages; printf '%s\n' "$@")
    if [[ ${#wanted[@]} == 0 ]]; then
        packages_result="all there"
        return
    fi
    install_packages "${wanted[@]}"
    packages_result="installed ${wanted[*]}"
}

# ensure_venv SET PACKAGE...: a virtual environment with these packages, at the versions that
# requirements.txt pins. Sets `venv_result`. Nothing is asked of the index when the set is already there.
# shellcheck disable=SC2034 # read by the scripts that source this
ensure_venv() {
    local set_name="$1" stamp
    shift
    stamp="$venv/.installed-$set_name-$(cat "$requirements" "${more_requirements:-/dev/null}" | sha256sum | cut -c1-16)"
    if [[ -e "$stamp" && -x "$venv/bin/python" ]]; then
        venv_result="all there"
        return
    fi
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' \
        || fail "Python 3.9 or later is needed, and python3 is $(python3 --version 2>&1)."
    [[ -x "$venv/bin/python" ]] || python3 -m venv "$venv" \
        || fail "python3 -m venv does not work here: install Debian's python3-venv."
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$requirements" "$@" \
        || fail "pip could not install: $*."
    touch "$stamp"
    venv_result="installed $*"
}

# build_release: with progress on the terminal. An executable given as CONCLAVE_BINARY is taken as it is.
build_release() {
    [[ -z "${CONCLAVE_BINARY:-}" ]] || return 0
    need_swift
    (cd "$root" && swift build -c release --product conclave)
}

# ---------------------------------------------------------------- nodes

check_region() {
    [[ "$1" =~ ^([a-z]+-)+[0-9]+$ ]] || fail "'$1' is not a region name (like us-east-1)."
}

node_directory() { # REGION NUMBER
    echo "$state/$1/node-$2"
}

# lives PID: there is such a process, and it has not ended (a zombie has).
lives() {
    kill -0 "$1" 2>/dev/null && [[ "$(awk '/^State:/ { print $2 }' "/proc/$1/status" 2>/dev/null)" != Z ]]
}

# node_pid DIRECTORY: the process id when that very process still runs our program.
node_pid() {
    local pid
    pid="$(cat "$1/pid" 2>/dev/null)" || return 1
    [[ -n "$pid" ]] && lives "$pid" || return 1
    [[ "$(cat "/proc/$pid/comm" 2>/dev/null)" == conclave* ]] || return 1
    echo "$pid"
}

# region_nodes REGION: the folders of its nodes, by number.
region_nodes() {
    local number
    for ((number = 1; ; number++)); do
        [[ -d "$(node_directory "$1" "$number")" ]] || return 0
        node_directory "$1" "$number"
    done
}

# free_ports COUNT: of our range, and not remembered by another node.
free_ports() {
    local taken
    taken="$({ cat "$state"/*/node-*/*listen 2>/dev/null || true; } | sed 's/.*://' | tr '\n' ' ')"
    python3 - "$first_port" "$last_port" "$1" "$taken" <<'PYTHON'
import socket, sys
wanted, taken = int(sys.argv[3]), set(sys.argv[4].split())
for port in range(int(sys.argv[1]), int(sys.argv[2]) + 1):
    if wanted == 0:
        break
    if str(port) in taken:
        continue
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
    print(port)
    wanted -= 1
sys.exit("no free port" if wanted else 0)
PYTHON
}

# give_addresses DIRECTORY: for the API, for peers and for operators, once.
give_addresses() {
    local directory="$1" ports name number=0
    [[ ! -s "$directory/ops-listen" ]] || return 0
    mapfile -t ports < <(free_ports 3)
    [[ ${#ports[@]} == 3 ]] || fail "no three free ports between $first_port and $last_port."
    for name in listen peer-listen ops-listen; do
        echo "127.0.0.1:${ports[number]}" >"$directory/$name"
        number=$((number + 1))
    done
}

# launch_node DIRECTORY [OPTION...]: starts it in the background, on its own addresses.
launch_node() {
    local directory="$1"
    shift
    [[ -x "$binary" ]] || fail "$binary is missing: run ./Cluster/up first."
    rm -f "$directory/data/address"
    setsid nohup "$binary" serve --data-dir "$directory/data" --listen "$(cat "$directory/listen")" \
        --peer-listen "$(cat "$directory/peer-listen")" --ops-listen "$(cat "$directory/ops-listen")" \
        --log-level "${CONCLAVE_LOG_LEVEL:-info}" "$@" >>"$directory/log" 2>&1 </dev/null &
    echo $! >"$directory/pid"
}

# health DIRECTORY: the status of its health page: 200 when it can serve, 000 when it does not answer.
health() {
    curl --silent --noproxy '*' --max-time 5 --output /dev/null --write-out '%{http_code}' "http://$(cat "$1/ops-listen")/health" || true
}

serves() { [[ "$(health "$1")" == 200 ]]; }
answers() { [[ "$(health "$1")" =~ ^(200|503)$ ]]; }

# wait_until CONDITION DIRECTORY: `serves` needs a majority of the cluster's nodes, `answers` does not.
wait_until() {
    local condition="$1" directory="$2" deadline=$((SECONDS + start_deadline_seconds))
    until "$condition" "$directory"; do
        # By its number alone: just started, it may not have become our program yet.
        if ! lives "$(cat "$directory/pid")"; then
            tail -n 5 "$directory/log" >&2
            rm -f "$directory/pid"
            fail "the node ended while it started; the last lines of $directory/log are above."
        fi
        if ((SECONDS >= deadline)); then
            tail -n 5 "$directory/log" >&2
            fail "the node does not serve after $start_deadline_seconds s; see $directory/log."
        fi
        sleep 0.05
    done
}

# has_majority REGION: more than half of its nodes run.
has_majority() {
    local directory running=0 all=0
    while read -r directory; do
        all=$((all + 1))
        ! node_pid "$directory" >/dev/null || running=$((running + 1))
    done < <(region_nodes "$1")
    ((2 * running > all))
}

# stop_node DIRECTORY SIGNAL: until the process is gone. Requests in flight finish on TERM.
stop_node() {
    local directory="$1" signal="$2" pid deadline=$((SECONDS + stop_deadline_seconds))
    pid="$(node_pid "$directory")" || {
        rm -f "$directory/pid"
        return 1
    }
    kill "-$signal" "$pid"
    while node_pid "$directory" >/dev/null; do
        if ((SECONDS >= deadline)); then
            echo "node $pid did not stop within $stop_deadline_seconds s: killed" >&2
            kill -KILL "$pid" 2>/dev/null || true
            deadline=$((SECONDS + 10))
        fi
        sleep 0.05
    done
    rm -f "$directory/pid"
}

# the_region [REGION]: the one given, or the only one that exists.
the_region() {
    if [[ -n "${1:-}" ]]; then
        echo "$1"
        return
    fi
    local found=("$state"/*/node-1)
    [[ -d "${found[0]}" ]] || fail "no cluster here: run ./Cluster/up first."
    [[ ${#found[@]} == 1 ]] || fail "more than one region here: say which with --region NAME."
    basename "$(dirname "${found[0]}")"
}
