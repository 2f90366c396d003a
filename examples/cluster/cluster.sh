#!/bin/sh
# Three Galera servers, three Twinkey nodes and HAProxy on the loopback address of one machine, to try out
# what happens when parts of it fail. Not for production: all of it shares one disk and one fate.
#
#   ./cluster.sh start     about half a minute; prints what to do then
#   ./cluster.sh status
#   ./cluster.sh stop      ends everything and deletes its data
#
# Needs mariadb-server, galera-4, rsync and haproxy (Debian's names), Node, and Twinkey built in this clone
# (npm ci && npm run build). TWINKEY_CLUSTER_DIR says where its data are kept meanwhile.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dir=${TWINKEY_CLUSTER_DIR:-${TMPDIR:-/tmp}/twinkey-cluster}
program=$root/dist/src/cli/index.js
numbers='1 2 3'
database='mysql://twinkey:twinkey@127.0.0.1:3311,127.0.0.1:3312,127.0.0.1:3313/twinkey'

fail() {
    echo "cluster.sh: $*" >&2
    exit 1
}

find_program() {
    # Servers are in sbin, which is not in everybody's path.
    PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin command -v "$1" || fail "$1 is not installed"
}

# MariaDB does not run as root.
as_root() { [ "$(id -u)" = 0 ]; }
own() { if as_root; then chown -R mysql: "$@"; fi; }
server_user() { if as_root; then echo --user=mysql; fi; }

sql() { # NUMBER STATEMENT
    "$mariadb" --no-defaults --socket="$dir/db$1/socket" --user=root --batch --skip-column-names -e "$2"
}

is_synced() { # NUMBER
    [ "$(sql "$1" "show status like 'wsrep_local_state_comment'" 2>/dev/null | cut -f2)" = Synced ]
}

# Waits for "$@" to succeed, for a minute.
wait_for() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || fail "gave up waiting for: $* (logs are in $dir)"
        sleep 0.2
    done
}

start_server() { # NUMBER [OPTION…]
    number=$1
    shift
    data=$dir/db$number
    # shellcheck disable=SC2046
    nohup "$mariadbd" --no-defaults $(server_user) \
        --datadir="$data/data" --socket="$data/socket" --pid-file="$data/pid" \
        --log-error="$data/error.log" --tmpdir="$data" \
        --bind-address=127.0.0.1 --port=331"$number" --skip-name-resolve \
        --binlog-format=ROW --innodb-autoinc-lock-mode=2 --innodb-buffer-pool-size=32M \
        --wsrep-on=ON --wsrep-provider="$galera" --wsrep-cluster-name=twinkey-example \
        --wsrep-cluster-address=gcomm://127.0.0.1:4561,127.0.0.1:4571,127.0.0.1:4581 \
        --wsrep-node-name=db"$number" --wsrep-node-address=127.0.0.1 \
        --wsrep-sst-method=rsync --wsrep-sst-receive-address=127.0.0.1:45$((5 + number))4 \
        --wsrep-provider-options="$(provider "$number")" "$@" </dev/null >/dev/null 2>&1 &
    wait_for is_synced "$number"
    echo "  db$number       127.0.0.1:331$number"
}

# A group is formed anew in about a second after a server has gone; by default it takes seven.
provider() { # NUMBER
    port=45$((5 + $1))1
    printf %s "base_host=127.0.0.1;base_port=$port;gmcast.listen_addr=tcp://127.0.0.1:$port;" \
        "ist.recv_addr=127.0.0.1:45$((5 + $1))2;gcache.size=32M;evs.keepalive_period=PT0.2S;" \
        "evs.inactive_check_period=PT0.1S;evs.suspect_timeout=PT1S;evs.inactive_timeout=PT2S;" \
        "evs.install_timeout=PT2S;evs.join_retrans_period=PT0.2S;gmcast.peer_timeout=PT1S"
}

twinkey() { # [ARGUMENT…]
    env DATABASE_URL="$database" DATA_DIR="$dir" JWT_SECRET_FILE="$dir/jwt-secret" \
        KEY_ENCRYPTION_KEY_FILE="$dir/key-encryption-key" PUBLIC_URL=http://localhost:8000 \
        "$node" "$program" "$@"
}

start_node() { # NUMBER
    cd "$dir"
    env DATABASE_URL="$database" DATA_DIR="$dir" JWT_SECRET_FILE="$dir/jwt-secret" \
        KEY_ENCRYPTION_KEY_FILE="$dir/key-encryption-key" PUBLIC_URL=http://localhost:8000 \
        HOST=127.0.0.1 PORT=808"$1" TRUST_PROXY=1 SHUTDOWN_DELAY=1 \
        nohup "$node" "$program" serve </dev/null >"$dir/node$1.log" 2>&1 &
    echo $! >"$dir/node$1.pid"
    wait_for is_ready 808"$1"
    echo "  node$1     http://127.0.0.1:808$1"
}

is_ready() { # PORT
    "$node" -e 'fetch(`http://127.0.0.1:${process.argv[1]}/readyz`).then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))' "$1"
}

random() { # BYTES ENCODING
    "$node" -p 'crypto.randomBytes(Number(process.argv[1])).toString(process.argv[2])' "$1" "$2"
}

start() {
    [ ! -e "$dir" ] || fail "$dir exists: it runs already, or run '$0 stop' first"
    mariadbd=$(find_program mariadbd)
    mariadb=$(find_program mariadb)
    install_db=$(find_program mariadb-install-db)
    haproxy=$(find_program haproxy)
    node=$(find_program node)
    find_program rsync >/dev/null
    galera=
    for file in /usr/lib/galera/libgalera_smm.so /usr/lib64/galera-4/libgalera_smm.so; do
        [ ! -e "$file" ] || galera=$file
    done
    [ -n "$galera" ] || fail 'galera-4 is not installed'
    [ -e "$program" ] || fail "$program is missing: npm ci && npm run build"

    mkdir -p "$dir"
    chmod 755 "$dir"
    for number in $numbers; do mkdir -p "$dir/db$number/data"; done
    # shellcheck disable=SC2046
    own "$dir"/db?
    "$install_db" --no-defaults $(server_user) --datadir="$dir/db1/data" --skip-test-db \
        --auth-root-authentication-method=normal >"$dir/install.log" 2>&1 || fail "see $dir/install.log"

    echo 'Starting:'
    start_server 1 --wsrep-new-cluster
    sql 1 "create database twinkey; create user twinkey@'%' identified by 'twinkey'; grant all on twinkey.* to twinkey@'%'"
    start_server 2
    start_server 3

    (umask 077 && random 32 base64url >"$dir/jwt-secret" && random 32 base64 >"$dir/key-encryption-key")
    twinkey migrate >"$dir/migrate.log"
    password=$(random 9 base64url)
    echo "$password" | twinkey user create admin --email admin@example.org --role administrator \
        --password-stdin >/dev/null
    for number in $numbers; do start_node "$number"; done

    cp -r "$here/errors" "$dir"
    sed 's/bind :8000/bind 127.0.0.1:8000/' "$here/haproxy.cfg" >"$dir/haproxy.cfg"
    (cd "$dir" && "$haproxy" -D -f haproxy.cfg -p "$dir/haproxy.pid" >"$dir/haproxy.log" 2>&1) ||
        fail "see $dir/haproxy.log"
    wait_for is_ready 8000
    cat <<END
  haproxy   http://localhost:8000

Log in at http://localhost:8000 as admin with the password $password

Try:
  $0 status
  kill -9 \$(cat $dir/db1/pid)       a database server dies; nothing accepted is lost
  kill \$(cat $dir/node2.pid)        a node stops; HAProxy has sent its requests elsewhere before
  $0 stop
END
}

status() {
    [ -e "$dir" ] || fail 'it does not run'
    mariadb=$(find_program mariadb)
    node=$(find_program node)
    for number in $numbers; do
        state=$(sql "$number" "show status like 'wsrep_local_state_comment'" 2>/dev/null | cut -f2) || state=
        echo "db$number    ${state:-does not answer}"
    done
    for number in $numbers; do
        if is_ready 808"$number"; then state=ready; else state='not ready'; fi
        echo "node$number  $state"
    done
    twinkey nodes
}

# Ends a process of ours: its parent may be gone, so there is nothing to wait for but itself.
end() { # PID-FILE
    [ -s "$1" ] || return 0
    pid=$(cat "$1")
    kill "$pid" 2>/dev/null || return 0
    tries=0
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        if [ "$tries" = 100 ]; then kill -9 "$pid" 2>/dev/null || true; fi
        sleep 0.2
    done
}

stop() {
    [ -e "$dir" ] || fail 'it does not run'
    [ -d "$dir/db1/data" ] || fail "$dir was not made by this script"
    end "$dir/haproxy.pid"
    for number in $numbers; do end "$dir/node$number.pid"; done
    for number in 3 2 1; do end "$dir/db$number/pid"; done
    rm -rf "$dir"
    echo 'Stopped, and its data deleted.'
}

case ${1:-} in
start) start ;;
status) status ;;
stop) stop ;;
*) fail 'say start, status or stop' ;;
esac
