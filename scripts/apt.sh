# Debian packages, for scripts/setup and scripts/test; sourced, not run.

# Run a command as root where that is allowed without a question; fail otherwise.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"
    else return 1; fi
}

# Refresh the lists of packages, once.
apt_update() {
    command -v apt-get >/dev/null || return 1
    [ -n "${apt_updated:-}" ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null 2>&1 || return 1
    apt_updated=yes
}

# Install Debian packages, quietly and without recommended ones.
apt_install() {
    apt_update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >/dev/null
}
