#!/bin/sh
# The rest of the installation, from the verified copy on this machine's own disk: Ansible out of the bundle, then the
# roles. Runs again at any time, without the medium, and changes nothing that is right already.
# Arguments go to ansible-playbook.
set -eu
umask 022

version=@VERSION@
root=/opt/appliance
bundle=$root/bundles/$version
release=$root/releases/$version
ansible=$root/ansible/$version

put() { # put FILE: writes standard input to a file unless it says that already
    new=$(cat)
    if [ ! -e "$1" ] || [ "$(cat "$1")" != "$new" ]; then
        mkdir -p "$(dirname "$1")"
        printf '%s\n' "$new" >"$1.partial"
        mv "$1.partial" "$1"
        return 0
    fi
    return 1
}

# A machine whose own name is in no file asks for it by DNS again and again while it is set up.
name=$(hostname)
if ! grep -Eq "^[^#]*[[:space:]]$name([[:space:]]|\$)" /etc/hosts 2>/dev/null; then
    printf '127.0.1.1 %s\n' "$name" >>/etc/hosts
fi

# Without a network, where the kernel gives a process one of its own.
alone="unshare --net"
$alone true 2>/dev/null || alone=""

# apt sees this machine's verified copy and nothing else: it neither waits for the internet nor takes from it.
changed=no
put /etc/apt/sources.list.d/appliance.list <<LIST && changed=yes
deb [trusted=yes] file:$bundle/debs ./
LIST
put /etc/apt/apt.conf.d/90appliance <<'CONF' && changed=yes
// The appliance installs from its verified bundles only.
Dir::Etc::sourcelist "/etc/apt/sources.list.d/appliance.list";
Dir::Etc::sourceparts "-";
Acquire::Languages "none";
CONF
if [ "$changed" = yes ] || ! ls /var/lib/apt/lists/*"_bundles_${version}_debs_"* >/dev/null 2>&1; then
    $alone apt-get -q update >/dev/null
fi
$alone dpkg --configure -a # nothing to do, save where an earlier run was cut off

# From here on no program begins a conversation with another machine: until the site's own firewall takes over, or did
# so at an earlier run, a table of its own drops whatever would leave. The new package runs in no network till then.
if [ -d /run/systemd/system ]; then
    if ! command -v nft >/dev/null 2>&1; then
        DEBIAN_FRONTEND=noninteractive $alone apt-get -y -q --no-install-recommends install nftables >/dev/null
    fi
    nft list table inet appliance >/dev/null 2>&1 || nft --file "$release/ansible/install/sealed.nft"
fi

if ! python3 -c 'import apt, ensurepip, venv' 2>/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends install python3-apt python3-venv >/dev/null
fi

if command -v systemctl >/dev/null 2>&1 &&
    put /etc/systemd/system/appliance-resume.service <"$release/ansible/install/appliance-resume.service"; then
    systemctl --quiet enable appliance-resume.service
fi

# Once a release; again where it was interrupted.
if [ ! -e "$ansible/.complete" ]; then
    # Debian's patches come with the bundle: packages that are here and newer in it. Nothing is removed for them.
    DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold upgrade >/dev/null
    rm -rf "$ansible"
    python3 -m venv "$ansible"
    "$ansible/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps --require-hashes \
        --find-links "$bundle/wheels/ansible" -r "$bundle/wheels/ansible.txt"
    touch "$ansible/.complete"
fi

# An interrupted switch is taken back; then what the release that serves was installed with is kept, before anything of
# it is replaced. Nothing at the first installation.
/opt/appliance/bin/release resume >/dev/null
/opt/appliance/bin/release keep >/dev/null

set -- -e "appliance_version=$version" -e "appliance_bundle=$bundle" -e "appliance_release=$release" "$@"
[ ! -e /etc/appliance/site.yml ] || set -- -e @/etc/appliance/site.yml "$@"
cd "$release/ansible"
export LC_ALL=C.UTF-8 ANSIBLE_CONFIG="$release/ansible/ansible.cfg" ANSIBLE_HOME=/var/cache/appliance-ansible
export ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3
exec "$ansible/bin/ansible-playbook" site.yml "$@"
