# OpenStack in a virtual environment, the versions of constraints.txt.
compilers='gcc libc6-dev python3-dev'  # uwsgi is built from source
apt-get update -qq
apt-get install -y python3-venv $compilers
python3 -m venv /opt/openstack
/opt/openstack/bin/pip install --quiet --constraint /build/constraints.txt \
  --requirement /build/requirements.txt
apt-get purge -y --autoremove $compilers
apt-get clean
rm -rf /var/lib/apt/lists/*
