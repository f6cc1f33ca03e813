# What the configuration is rehearsed with on the next Debian: Pacemaker's tools, and its daemons for
# the options that they know. No part of a cluster, so it stands on a plain Debian of its own.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d  # no package may start a daemon
chmod 755 /usr/sbin/policy-rc.d
apt-get update -qq
apt-get install -y pacemaker pacemaker-cli-utils libxml2-utils
apt-get clean
rm -rf /var/lib/apt/lists/*
