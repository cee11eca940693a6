# Shared by the scripts in tools/: messages, Debian packages, the Swift toolchain, builds. Sourced, not run.
# shellcheck shell=bash

# A process that dies on purpose must die at once, not print a backtrace.
export SWIFT_BACKTRACE=enable=no
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
debug_path=.build
release_path=.build-release
# shellcheck disable=SC2034
laws_path=.build-laws
# Read by the scripts that source this file.
# shellcheck disable=SC2034
debug_rubato=$root/$debug_path/debug/rubato
# shellcheck disable=SC2034
release_rubato=$root/$release_path/release/rubato

# What each job needs, as Debian names it.
# shellcheck disable=SC2034
build_packages=(g++ libc6-dev libpcap-dev libssl-dev pkg-config zlib1g-dev git ca-certificates)
# What the Swift toolchain itself is linked with; asked for only where it does not run. The -dev packages, as their
# names stay while the libraries' change from release to release.
swift_packages=(binutils g++ git libcurl4-openssl-dev libncurses-dev libsqlite3-dev libxml2-dev tzdata)
# shellcheck disable=SC2034
media_packages=(ffmpeg)
# shellcheck disable=SC2034
test_packages=(
    ffmpeg
    gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    gstreamer1.0-plugins-ugly gstreamer1.0-libav
    tshark tcpdump valgrind jq time libxml2-utils iproute2 util-linux wireshark-common gzip chrony
)
# shellcheck disable=SC2034
bench_packages=(libns3-dev g++ jq time tcpdump tshark wireshark-common)

say() { printf '%s\n' "$*" >&2; }

stop() {
    say "$(basename "$0"): $*"
    exit 1
}

step() { printf '\n==> %s\n' "$*" >&2; }

# The packages among "$@" that are not installed, one a line.
missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed \
            || printf '%s\n' "$package"
    done
}

# require_packages WHY PACKAGE...: installs what is missing, after saying what and why; stops where it cannot.
require_packages() {
    local why=$1
    shift
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        require_elsewhere "$why" "$@"
        return
    fi
    local missing=()
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] && return
    say "Installing with apt-get, $why: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null \
            || stop "not root, and sudo is not installed. As root, run: apt-get install ${missing[*]}"
        as_root=(sudo)
        say "This asks for your password: it runs sudo apt-get."
    fi
    # The lists may be absent or old; a failure here matters only if the packages then cannot be had.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 \
        || say "apt-get update failed; trying with the package lists that are there."
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}" >&2 \
        || stop "apt-get could not install: ${missing[*]} ($why). See its messages above."
}

# A system without apt: go on if the programs and libraries are there under whatever name, else say what is needed.
require_elsewhere() {
    local why=$1 package missing=()
    shift
    for package in "$@"; do
        provided_elsewhere "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    stop "this is not a Debian-like system (no apt-get), so nothing is installed for you.
Needed, $why, by their Debian names: ${missing[*]}
Install what your system calls these, then run this again."
}

# Whether what the Debian package holds is on this machine.
provided_elsewhere() {
    case $1 in
        libpcap-dev) pkg-config --exists libpcap ;;
        libssl-dev) pkg-config --exists libcrypto ;;
        zlib1g-dev) pkg-config --exists zlib ;;
        libns3-dev) pkg-config --exists ns3-core ;;
        libc6-dev) [ -e /usr/include/stdio.h ] ;;
        ca-certificates) [ -e /etc/ssl/certs ] ;;
        binutils) command -v ld ;;
        libcurl4-openssl-dev | libncurses-dev | libsqlite3-dev | libxml2-dev) false ;;
        tzdata) [ -e /usr/share/zoneinfo ] ;;
        gstreamer1.0-tools) command -v gst-launch-1.0 ;;
        gstreamer1.0-plugins-base) gst-inspect-1.0 videotestsrc ;;
        gstreamer1.0-plugins-good) gst-inspect-1.0 rtpmp2tpay ;;
        gstreamer1.0-plugins-bad) gst-inspect-1.0 mpegtsmux ;;
        gstreamer1.0-plugins-ugly) gst-inspect-1.0 x264enc ;;
        gstreamer1.0-libav) gst-inspect-1.0 avenc_aac ;;
        libxml2-utils) command -v xmllint ;;
        wireshark-common) command -v editcap ;;
        iproute2) command -v ip && command -v ss ;;
        util-linux) command -v setpriv && command -v unshare ;;
        *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

# Stops unless Swift 6.2 or later is there and runs.
require_swift() {
    local how="Rubato is built with Swift 6.2 or later. Install it from https://www.swift.org/install/linux/ (for
example with swiftly: 'curl -O https://download.swift.org/swiftly/linux/swiftly-\$(uname -m).tar.gz',
'tar zxf swiftly-*.tar.gz', './swiftly init'), see that 'swift --version' answers, then run this again."
    command -v swift >/dev/null || stop "swift is not on the PATH.
$how"
    local answer version
    # A toolchain that was only unpacked lacks libraries, which its first call shows.
    if ! swift build --version >/dev/null 2>&1; then
        require_packages "for the Swift toolchain, which does not run without them" "${swift_packages[@]}"
        answer=$(swift build --version 2>&1) || stop "'swift build --version' fails:
$answer
$how"
    fi
    answer=$(swift --version 2>&1)
    version=$(sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' <<<"$answer" | head -n 1)
    [ -n "$version" ] || stop "'swift --version' says no version that can be read:
$answer
$how"
    if [ "${version%%.*}" -lt 6 ] || { [ "${version%%.*}" -eq 6 ] && [ "${version#*.}" -lt 2 ]; }; then
        stop "swift is version $version.
$how"
    fi
}

# Builds the optimized program: $release_rubato.
build_release() {
    (cd "$root" && swift build -c release --product rubato --scratch-path "$release_path")
}

# Seconds between two readings of now_seconds, with one decimal.
now_seconds() { date +%s.%N; }
seconds_between() { awk -v from="$1" -v to="$2" 'BEGIN { printf "%.1f", to - from }'; }

# A directory that goes away with the script, and whatever is registered with at_exit before it.
make_scratch() {
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/rubato-$(basename "$0" .sh).XXXXXX")
    trap clean_up EXIT
}
exit_commands=()
at_exit() { exit_commands+=("$1"); }
clean_up() {
    local command
    for command in "${exit_commands[@]}"; do eval "$command" || true; done
    rm -rf "$scratch"
}
