# A full cluster node: the cluster stack as Debian ships it, what the agents import, and a library
# that shows a wrong clock to those that a test wants to see one.
apt-get update -qq
apt-get install -y corosync pacemaker pacemaker-cli-utils pcs fence-agents ipmitool resource-agents \
  python3-openstacksdk python3-lxml python3-yaml libxml2-utils xsltproc libfaketime
apt-get clean
rm -rf /var/lib/apt/lists/* /etc/corosync/corosync.conf /var/lib/pacemaker/cib/*
