# A full cluster node: the cluster stack as Debian ships it, what the agents import, and a library
# that shows a wrong clock to those that a test wants to see one.
apt-get update -qq
apt-get install -y corosync pacemaker pacemaker-cli-utils pcs fence-agents ipmitool resource-agents \
  python3-openstacksdk python3-lxml python3-yaml libxml2-utils xsltproc
apt-get install -y tcc libc6-dev
tcc -shared -o /usr/local/lib/wrong_clock.so /build/wrong_clock.c
apt-get purge -y --autoremove tcc libc6-dev
apt-get clean
rm -rf /var/lib/apt/lists/* /etc/corosync/corosync.conf /var/lib/pacemaker/cib/*
