# shellcheck shell=bash
# Must be sourced after packages.sh. Finds the JDK 25 that the build needs.

# shellcheck source-path=SCRIPTDIR source=../dist/src/lib/find-jdk.sh
. "${BASH_SOURCE[0]%/*}/../dist/src/lib/find-jdk.sh"

# is_build_jdk HOME: true if HOME is a JDK of exactly version 25 with a compiler.
is_build_jdk() {
  read_jdk_version "$1"
  [ "$jdk_version" = 25 ] && [ -x "$1/bin/javac" ]
}

# use_jdk: sets JAVA_HOME to a JDK 25 for Maven, whose format check needs that version. Ends the script if there is
# none.
use_jdk() {
  local jdk
  if ! find_jdk is_build_jdk && can_install; then
    refresh_package_lists || true
    if apt-cache show openjdk-25-jdk-headless >/dev/null 2>&1; then
      apt_with_retries install --yes --no-install-recommends openjdk-25-jdk-headless || true
    fi
  fi
  if ! find_jdk is_build_jdk; then
    echo "No JDK 25 found. Install openjdk-25-jdk-headless if your distribution has it, or unpack a Temurin JDK 25 in" \
      "/usr/lib/jvm, /opt or ~/.jdks" >&2
    exit "$EXIT_MISSING"
  fi
  export JAVA_HOME=$jdk
  # jansi.noreset: otherwise Jansi ends all output with an escape sequence, even if it does not go to a terminal. The
  # other two options suppress warnings of JDK 25 about Maven's own libraries.
  export MAVEN_OPTS="${MAVEN_OPTS:-} -Djansi.noreset=true --sun-misc-unsafe-memory-access=allow \
--enable-native-access=ALL-UNNAMED"
}
