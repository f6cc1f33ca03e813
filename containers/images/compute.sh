# A compute node: pacemaker_remoted, libvirt and QEMU; nova-compute is in the environment below.
apt-get update -qq
apt-get install -y pacemaker-remote pacemaker-cli-utils resource-agents python3-lxml libxml2-utils \
  libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 qemu-utils \
  python3-libvirt
apt-get clean
rm -rf /var/lib/apt/lists/*
site=$(/opt/openstack/bin/python -c 'import nova, os; print(os.path.dirname(os.path.dirname(nova.__file__)))')
ln -s /usr/lib/python3/dist-packages/libvirt*.py /usr/lib/python3/dist-packages/libvirtmod*.so "$site"
