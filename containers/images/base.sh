# What every container has, whatever it is: name look-ups, packet filters, a look at processes.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d  # no package may start a daemon
chmod 755 /usr/sbin/policy-rc.d
printf 'path-exclude=/usr/share/man/*\npath-exclude=/usr/share/doc/*\n' > /etc/dpkg/dpkg.cfg.d/lean
apt-get update -qq
apt-get install -y iproute2 iptables procps psmisc python3 ca-certificates less
apt-get clean
rm -rf /var/lib/apt/lists/*
