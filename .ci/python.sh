#!/bin/sh
# Finds a CPython and makes the virtual environments of the Makefile. POSIX sh: it runs before
# anything is installed, on Debian and macOS alike.
#
#   .ci/python.sh find             the interpreter for .venv: $PYTHON, or the first that will do
#   .ci/python.sh newest PYTHON    the newest released CPython on this machine, if not PYTHON itself
#   .ci/python.sh version PYTHON   its version, as 3.11
#   .ci/python.sh venv DIR PYTHON  makes DIR, unless it is there and is of that interpreter
set -eu

# Old enough to be everywhere, new enough for the library; pyproject.toml says the same.
minimum=11

version() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# What keeps $1 from serving, as a word; nothing if it will do.
objection() {
    "$1" -c '
import sys
if sys.version_info[0] != 3 or sys.version_info[1] < int(sys.argv[1]):
    print("old")
else:
    try:
        import ensurepip, venv
    except ImportError:
        print("no-venv")
' "$minimum" 2>/dev/null || echo missing
}

complain() {  # $1: interpreter, $2: objection
    case $2 in
    missing) echo "    $1: not found, or does not run" ;;
    old) echo "    $1: Python $(version "$1") is older than 3.$minimum" ;;
    no-venv) echo "    $1: Python $(version "$1") without venv and ensurepip" ;;
    esac
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        candidates=$PYTHON
    else
        candidates="python3 python3.14 python3.13 python3.12 python3.11"
    fi
    for candidate in $candidates; do
        why=$(objection "$candidate")
        if [ -z "$why" ]; then
            command -v "$candidate"
            return
        fi
        complaints="${complaints:-}$(complain "$candidate" "$why")
"
    done
    cat >&2 <<END

A Python 3.$minimum or newer with its venv module is needed. Tried:
$complaints
  Debian, Ubuntu:  sudo apt install python3 python3-venv
  macOS:           brew install python
  elsewhere:       python.org/downloads, pyenv, or your system's packages

Another interpreter is named with PYTHON, for example: make setup PYTHON=/opt/python3.12/bin/python3

END
    return 1
}

newest() {  # $1: an interpreter that counts too
    for candidate in \
        "$1" python3 python3.11 python3.12 python3.13 python3.14 python3.15 python3.16 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
        # Released CPythons with venv only: an alpha has no wheels of what the tests need.
        "$candidate" -c '
import ensurepip, sys, venv
if sys.implementation.name == "cpython" and sys.version_info.releaselevel == "final":
    print("%03d.%03d.%03d %s" % (*sys.version_info[:3], sys.executable))
' 2>/dev/null || true
    done | sort -r | head -n 1 | cut -d ' ' -f 2-
}

# Which one it is: its version and where it is installed; a virtual environment's is that of its parent.
identity() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2], sys.base_prefix)' 2>/dev/null
}

make_venv() {  # $1: directory, $2: interpreter
    if [ -x "$1/bin/python" ] && [ "$(identity "$1/bin/python")" = "$(identity "$2")" ]; then
        return
    fi
    echo "making $1 with Python $(version "$2")"
    "$2" -m venv --clear "$1"
    # 25.1 is the first that installs dependency groups.
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
}

case ${1:-} in
find) find_python ;;
newest) newest "$2" ;;
version) version "$2" ;;
venv) make_venv "$2" "$3" ;;
*)
    sed -n 's/^#  *tools/tools/p' "$0" >&2
    exit 2
    ;;
esac
