#!/bin/sh
# Installs edge-fusion as a service of systemd, or brings it up to date; see usage below.
# What is there already stays: configuration, state, drop-ins of your own.
set -eu
umask 022

usage() {
    cat <<'END'
usage: deploy/install.sh [--wheel FILE] [--camera] [--gpu] [--python PYTHON] [--root DIR]
       deploy/install.sh --uninstall [--purge] [--root DIR]

  --wheel FILE     install this wheel; without it one is built from the checkout around this script
  --camera         let the service look at cameras of this machine (/dev/video0)
  --gpu            let it use an NVIDIA card; takes onnxruntime-gpu, some gigabytes
  --python PYTHON  the Python to run it with, 3.11 or newer (default: python3)
  --root DIR       install into the file system of another machine, mounted at DIR, whose Python is
                   of the same version and in the same place as that of this one
  --uninstall      take away what was installed; configuration, state and user stay
  --purge          with --uninstall: take those away too
END
}

say() { printf '%s\n' "$*"; }
die() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

deploy=$(cd "$(dirname "$0")" && pwd)
checkout=$(dirname "$deploy")
wheel='' root='' python=python3 camera=no gpu=no uninstall=no purge=no

while [ $# -gt 0 ]; do
    case "$1" in
        --wheel | --root | --python) [ $# -gt 1 ] || { usage >&2; exit 2; } ;;
    esac
    case "$1" in
        --wheel) wheel=$2; shift ;;
        --root) root=${2%/}; shift ;;
        --python) python=$2; shift ;;
        --camera) camera=yes ;;
        --gpu) gpu=yes ;;
        --uninstall) uninstall=yes ;;
        --purge) purge=yes ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

name=edge-fusion
opt=$root/opt/$name
venv=$opt/venv
etc=$root/etc/$name
state=$root/var/lib/$name
units=$root/etc/systemd/system
dropins=$units/$name.service.d
sysusers=$root/etc/sysusers.d/$name.conf
command=$root/usr/local/bin/$name

# systemctl, for the machine that runs; an image that is mounted somewhere has none.
manage() {
    if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl "$@"; fi
}

# The version of systemd of the target, or 0: that of its library tells, where it cannot be run.
systemd_version() {
    for file in "$root"/usr/lib/systemd/libsystemd-shared-*.so \
        "$root"/usr/lib/*/systemd/libsystemd-shared-*.so; do
        [ -e "$file" ] || continue
        version=${file##*libsystemd-shared-}
        printf '%s\n' "${version%%[!0-9]*}"
        return
    done
    echo 0
}

group_id() { awk -F: -v name="$name" '$1 == name { print $3 }' "$root/etc/group"; }

make_user() {
    install -D -m 0644 "$deploy/systemd/$name.sysusers" "$sysusers"
    systemd-sysusers ${root:+--root="$root"} - <"$sysusers"
    [ -n "$(group_id)" ] || die "systemd-sysusers made no group $name"
}

# Beside the old one, and then in its place: an update that fails changes nothing.
make_environment() {
    rm -rf "$venv.new"
    mkdir -p "$opt"
    "$python" -m venv "$venv.new"
    pip="$venv.new/bin/python -m pip --disable-pip-version-check --quiet"
    if [ -z "$wheel" ]; then
        [ -f "$checkout/pyproject.toml" ] || die "$checkout is no checkout: give --wheel FILE"
        $pip install --require-hashes --no-deps -r "$checkout/requirements.lock"
        $pip wheel --no-deps --wheel-dir "$venv.new/wheel" "$checkout"
        $pip install --no-deps "$venv.new"/wheel/*.whl
        rm -r "$venv.new/wheel"
    else
        $pip install "$wheel"
    fi
    if [ "$gpu" = yes ]; then
        $pip uninstall --yes onnxruntime
        $pip install 'onnxruntime-gpu[cuda,cudnn]'
    fi
    version=$("$venv.new/bin/python" -m edge_fusion --version) || die "what was installed does not run"
    # Scripts name the place of their Python, which is another from now on.
    grep -lIF "$venv.new" "$venv.new"/bin/* "$venv.new/pyvenv.cfg" | while read -r script; do
        [ -L "$script" ] || sed -i "s|$venv.new|/opt/$name/venv|g" "$script"
    done
    rm -rf "$venv.old"
    [ ! -d "$venv" ] || mv "$venv" "$venv.old"
    mv "$venv.new" "$venv"
    rm -rf "$venv.old"
}

install_unit() {
    install -D -m 0644 "$deploy/systemd/$name.service" "$units/$name.service"
    mkdir -p "$dropins"
    if [ "$camera" = yes ]; then install -m 0644 "$deploy/systemd/camera.conf" "$dropins/"; fi
    if [ "$gpu" = yes ]; then install -m 0644 "$deploy/systemd/gpu.conf" "$dropins/"; fi
    if [ "$(systemd_version)" -ge 253 ]; then
        install -m 0644 "$deploy/systemd/notify-reload.conf" "$dropins/"
    else
        rm -f "$dropins/notify-reload.conf"
    fi
    mkdir -p "$(dirname "$command")"
    ln -sfn "/opt/$name/venv/bin/$name" "$command"
}

# The group reads it and nobody else: there may be a password in it.
install_configuration() {
    group=$(group_id)
    install -d -m 0750 -g "$group" "$etc"
    install -m 0640 -g "$group" "$deploy/$name.toml" "$etc/$name.toml.sample"
    if [ ! -e "$etc/$name.toml" ]; then
        install -m 0640 -g "$group" "$deploy/$name.toml" "$etc/$name.toml"
    fi
}

next_steps() {
    say "$version is installed in $opt."
    if [ -n "$root" ]; then
        say "Nothing was started: $root is no running system."
    elif systemctl --quiet is-active "$name" 2>/dev/null; then
        if systemctl restart "$name"; then
            say "The service has been started anew: systemctl status $name"
        else
            say "The service does not start with it: journalctl -u $name"
        fi
    fi
    cat <<END
Next:
  1. Edit /etc/$name/$name.toml; \`$name sniff --host BROKER\` proposes what goes into it.
     The password of the broker goes into /etc/$name/mqtt.password (chmod 600).
  2. CREDENTIALS_DIRECTORY=/etc/$name $name check -c /etc/$name/$name.toml
     \`doctor\` in place of \`check\` looks further, and says what to do.
  3. systemctl enable --now $name
  4. systemctl status $name; journalctl -u $name; http://localhost:8337/
END
}

take_away() {
    manage disable --now "$name.service" 2>/dev/null || true
    rm -f "$units/$name.service" "$command" "$sysusers" "$dropins/notify-reload.conf" \
        "$dropins/camera.conf" "$dropins/gpu.conf"
    rmdir "$dropins" 2>/dev/null || true
    rm -rf "$opt"
    manage daemon-reload
    manage reset-failed "$name.service" 2>/dev/null || true
    if [ "$purge" = yes ]; then
        rm -rf "$etc" "$state"
        if grep -q "^$name:" "$root/etc/passwd" 2>/dev/null; then
            userdel ${root:+--prefix "$root"} "$name"
        fi
        say "$name is gone, with its configuration and state."
    else
        say "$name is gone. Kept: $etc, $state and the user $name (--purge takes those too)."
    fi
}

[ -z "$root" ] || [ -d "$root" ] || die "--root $root: there is no such directory"
[ "$(id -u)" -eq 0 ] || die "must be run by root: sudo $0"

if [ "$uninstall" = yes ]; then
    take_away
    exit 0
fi
[ "$purge" = no ] || die "--purge goes with --uninstall"
[ -z "$wheel" ] || [ -f "$wheel" ] || die "--wheel $wheel: there is no such file"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    die "Python 3.11 or newer is needed; name it with --python"
"$python" -c 'import ensurepip, venv' 2>/dev/null || die "first: apt-get install python3-venv"
command -v systemd-sysusers >/dev/null || die "this machine has no systemd"
# What an earlier installation was given stays.
[ ! -e "$dropins/gpu.conf" ] || gpu=yes
[ ! -e "$dropins/camera.conf" ] || camera=yes

make_user
make_environment
install_unit
install_configuration
manage daemon-reload
next_steps
