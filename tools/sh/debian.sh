# shellcheck shell=bash
# To be sourced after packages.sh: packages of any suite and architecture of Debian, downloaded and never installed.

# debian_mirror: the archive from which this machine's own packages come, or VHOST_USER_RNG_MIRROR.
debian_mirror() {
  if [ -n "${VHOST_USER_RNG_MIRROR:-}" ]; then
    echo "$VHOST_USER_RNG_MIRROR"
    return
  fi
  # shellcheck disable=SC2016 # apt's variables
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null |
    head -n 1
}

# debian_keyring: the file with the keys of the archive.
debian_keyring() {
  local file
  for file in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
    [ ! -e "$file" ] || { echo "$file" && return; }
  done
  return 1
}

# make_apt SUITE ARCHITECTURE DIRECTORY: an apt with lists and a cache of its own, which installs nothing anywhere and
# needs no root. It is used where APT_CONFIG names DIRECTORY/apt.conf.
make_apt() {
  local mirror keyring
  mirror=$(debian_mirror)
  keyring=$(debian_keyring) || keyring=
  if [ -z "$mirror" ] || [ -z "$keyring" ]; then
    echo "packages of Debian $1 cannot be had: this is no Debian. Install debian-archive-keyring and set" \
      "VHOST_USER_RNG_MIRROR to the address of a mirror of Debian" >&2
    return 1
  fi
  mkdir -p "$3"/{none,lists/partial,cache/archives/partial}
  : >"$3/status"
  echo "deb [signed-by=$keyring] $mirror $1 main" >"$3/sources.list"
  # A mirror that stands still is good enough for a test: its packages are signed all the same.
  cat >"$3/apt.conf" <<EOF
Dir::State "$3";
Dir::State::Lists "$3/lists";
Dir::State::status "$3/status";
Dir::Cache "$3/cache";
Dir::Etc::SourceList "$3/sources.list";
Dir::Etc::SourceParts "$3/none";
Dir::Etc::Preferences "$3/none/preferences";
Dir::Etc::PreferencesParts "$3/none";
APT::Architecture "$2";
APT::Architectures { "$2"; };
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
EOF
  APT_CONFIG=$3/apt.conf apt_patiently update
}

# dependency APT_DIRECTORY PACKAGE PATTERN: the first package matching PATTERN on which a meta package depends.
dependency() {
  APT_CONFIG=$1/apt.conf apt-cache depends "$2" | sed -n "s/^ *Depends: \($3\)\$/\1/p" | head -n 1
}

# unpack_package APT_DIRECTORY PACKAGE DIRECTORY
unpack_package() {
  mkdir -p "$3" "$1/download"
  (cd "$1/download" && APT_CONFIG=$1/apt.conf apt_patiently download "$2") || return
  dpkg -x "$1/download/"*.deb "$3" || return
  rm "$1/download/"*.deb
}
