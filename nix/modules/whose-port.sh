# Tell whose server holds a port: `whose-port free SERVICE HOST PORT OPTION` before a start, `whose-port ours SERVICE
# HOST PORT PID-FILE` before the server is asked whether it is ready. One line on stderr, and 1, where the answer is no.
set -euo pipefail
verb=$1 service=$2 host=$3 port=$4

# p and the pid, g and its group, c and its name: of each process of ours that listens there
listeners() { lsof -nP +c0 -iTCP:"$port" -sTCP:LISTEN -Fpgc 2>/dev/null || true; }

# The project whose devenv started a process, as its environment says, or that of the process that started it: a
# Redis overwrites its own. Nothing on macOS, which hides it.
project_of() {
  local pid=$1 root
  while [ "${pid:-0}" -gt 1 ] && [ -r "/proc/$pid/environ" ]; do
    root=$(tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | sed -n 's/^DEVENV_ROOT=//p') || true
    [ -z "$root" ] || { echo "$root" && return; }
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null) || true
  done
}

holder() {
  local line root pid="" name="a server"
  while IFS= read -r line; do
    case $line in
    p*) pid=${line#p} ;;
    c*) name=${line#c} && break ;;
    esac
  done < <(listeners)
  if [ -z "$pid" ]; then
    echo "a process that this user cannot see"
  else
    root=$(project_of "$pid")
    if [ -n "$root" ] && [ "$root" = "${DEVENV_ROOT:-}" ]; then
      root="this project, left from an earlier start"
    else
      root=${root:+the project $root}
    fi
    echo "$name (pid $pid)${root:+ of $root}"
  fi
}

# Whether one process listens there. On Linux without lsof, which costs more: probes ask each second.
listens() {
  local address state inode hex held
  if [ ! -r /proc/net/tcp ]; then
    lsof -nP -a -p "$1" -iTCP:"$port" -sTCP:LISTEN >/dev/null 2>&1
    return
  fi
  printf -v hex %04X "$port"
  held=$(readlink "/proc/$1/fd/"* 2>/dev/null) || true
  while read -r _ address _ state _ _ _ _ _ inode _; do
    if [ "$state" = 0A ] && [ "${address##*:}" = "$hex" ] && [[ $held == *"socket:[$inode]"* ]]; then return 0; fi
  done < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
  return 1
}

refuse() { echo "$service: $1" >&2 && exit 1; }

is_free() {
  if (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; then
    refuse "port $port is taken by $(holder); stop it, or move this project's ports by services.ragbed.portOffset (this one: $1)"
  fi
}

is_ours() {
  local pid group
  pid=$(cat "$1" 2>/dev/null) || pid=0
  if [ "$pid" = 0 ] || ! kill -0 "$pid" 2>/dev/null; then refuse "it has not started, or has ended"; fi
  if listens "$pid"; then return 0; fi
  # it may be what it has started that listens
  group=$(lsof -a -p "$pid" -d cwd -Fg 2>/dev/null | sed -n 's/^g//p')
  ! listeners | grep -qx "g$group" || return 0
  ! (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null ||
    refuse "port $port is held by $(holder), and not by this project's $service (pid $pid)"
  refuse "it does not listen on port $port yet"
}

case $verb in
free) is_free "$5" ;;
ours) is_ours "$5" ;;
esac
