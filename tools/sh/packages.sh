# shellcheck shell=bash
# Must be sourced. Checks for the programs that a script needs; as root on Debian, installs missing ones.

# shellcheck disable=SC2034 # used by the scripts that source this file
readonly guest_needs=(qemu-system-x86_64=qemu-system-x86 cpio=cpio gzip=gzip xz=xz-utils lz4=lz4)
# shellcheck disable=SC2034
readonly package_needs=(dpkg-deb=dpkg strip=binutils xz=xz-utils gzip=gzip)
# Additional programs that the tests of the package use.
# shellcheck disable=SC2034
readonly package_test_needs=(lintian=lintian man=man-db groff=groff zsh=zsh systemd-analyze=systemd
  mmdebstrap=mmdebstrap)

# Exit status of a script for which something must be installed first.
readonly EXIT_MISSING=3

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -qq "$@" </dev/null
}

# apt_with_retries ARGUMENT...: runs apt-get, and retries if it fails. On a machine that has just booted, another
# process may hold apt's locks, and the network may not be up.
apt_with_retries() {
  local attempt
  for attempt in 1 2 3; do
    apt "$@" >&2 && return
    echo "apt-get $1 failed, attempt $attempt of 3" >&2
    sleep $((attempt * 5))
  done
  return 1
}

# can_install: true if packages may be installed. Tests run scripts with VHOST_USER_RNG_INSTALL=no, which forbids it.
can_install() {
  [ "${VHOST_USER_RNG_INSTALL:-yes}" = yes ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

# refresh_package_lists: updates apt's package lists, once per run of a script and its child scripts.
refresh_package_lists() {
  [ -z "${VHOST_USER_RNG_LISTS_ARE_FRESH:-}" ] || return 0
  apt_with_retries update
  export VHOST_USER_RNG_LISTS_ARE_FRESH=1
}

# need COMMAND=PACKAGE...: installs the packages of missing commands. Ends the script if that is impossible.
need() {
  local pair packages=()
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null || packages+=("${pair#*=}")
  done
  [ ${#packages[@]} -gt 0 ] || return 0
  if ! can_install; then
    echo "Missing packages: ${packages[*]}. On Debian 12 or 13:" \
      "sudo apt-get update && sudo apt-get install ${packages[*]}" >&2
    exit "$EXIT_MISSING"
  fi
  echo "installing ${packages[*]}" >&2
  refresh_package_lists || true
  apt_with_retries install --yes --no-install-recommends "${packages[@]}" && return
  echo "Failed to install: ${packages[*]}" >&2
  exit "$EXIT_MISSING"
}
