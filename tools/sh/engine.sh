# shellcheck shell=bash
# Must be sourced after packages.sh and wait.sh. Starts and stops a container engine for the tests.

engine_answers() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }
engine_answers_or_is_gone() { engine_answers || ! [ -e "$engine_directory" ] || is_gone "$engine"; }

# start_engine: starts a container engine unless one is running; installs it first if possible. Succeeds even if there
# is none: the tests that need an engine then say so. stop_engine must be called at the end.
start_engine() {
  engine='' engine_directory=''
  ! engine_answers || return 0
  (need docker=docker.io dockerd=docker.io iptables=iptables mmdebstrap=mmdebstrap) || return 0
  # The installation may have started the engine.
  ! wait_until 10 engine_answers || return 0
  engine_directory=$(mktemp -d)
  dockerd --pidfile "$engine_directory/pid" >"$engine_directory/log" 2>&1 </dev/null &
  engine=$!
  wait_until 180 engine_answers_or_is_gone || true
  engine_answers || tail -n 5 "$engine_directory/log" >&2
}

# stop_engine: stops the engine that start_engine started, if any.
stop_engine() {
  [ -n "$engine" ] || return 0
  kill -TERM "$engine" 2>/dev/null || true
  wait_until 60 is_gone "$engine" || kill -KILL "$engine"
  rm -rf "$engine_directory"
}
