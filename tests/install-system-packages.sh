#!/bin/bash
# Installs the servers and programs the tests run against, where this machine lets us. Never fails the run: a test
# whose program is missing skips and says so. Arguments are packages that only a benchmark needs.
packages=(dovecot-imapd dovecot-lmtpd dovecot-sieve postfix isync chromium fonts-dejavu strace postgresql "$@")

why() {  # which tests skip without a package
    case $1 in
        dovecot-imapd|dovecot-lmtpd) echo "the scenarios against a real IMAP server" ;;
        dovecot-sieve) echo "the comparison with sieve-filter" ;;
        postfix) echo "the scenarios with mail delivered by SMTP" ;;
        isync) echo "the comparison with mbsync" ;;
        chromium|fonts-dejavu) echo "the browser tests" ;;
        postgresql) echo "the journal on PostgreSQL and the routers that share it" ;;
        rspamd) echo "the comparison with rspamd" ;;
        strace) echo "the system-call injection of the crash tests" ;;
    esac
}

present() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

report() {  # $1: why nothing could be installed
    echo "system packages: $1. Skipped will be:"
    for package in "${missing[@]}"; do echo "  $package: $(why "$package")"; done
}

missing=()
if command -v dpkg-query >/dev/null; then
    for package in "${packages[@]}"; do present "$package" || missing+=("$package"); done
else
    missing=("${packages[@]}")
    report "this is no Debian, install the like of ${missing[*]} by hand (what is there is used)"
    exit 0
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=(env)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n env)
else
    report "${missing[*]} missing, and neither root nor sudo without a password"
    exit 0
fi

echo "system packages: installing ${missing[*]} ..."
# No service may start on its own (policy-rc.d is obeyed by invoke-rc.d): the tests start private ones.
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$guard" >/dev/null && "${as_root[@]}" chmod 755 "$guard"
    trap '"${as_root[@]}" rm -f "$guard"' EXIT
fi
options=(DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120)
"${as_root[@]}" "${options[@]}" update >/dev/null 2>&1
if ! "${as_root[@]}" "${options[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
    # One unknown name makes apt refuse all: then one by one.
    for package in "${missing[@]}"; do
        "${as_root[@]}" "${options[@]}" install -y --no-install-recommends "$package" >/dev/null 2>&1
    done
fi
still=()
for package in "${missing[@]}"; do present "$package" || still+=("$package"); done
missing=("${still[@]}")
[ ${#missing[@]} -eq 0 ] || report "could not install ${missing[*]}"
exit 0
