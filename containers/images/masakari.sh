# A cloud with Masakari in it, the OpenStack client, and openstacksdk as Debian and as PyPI have it.
apt-get update -qq
apt-get install -y python3-openstacksdk python3-lxml
apt-get clean
rm -rf /var/lib/apt/lists/*
python3 -m venv /opt/masakari
/opt/masakari/bin/pip install --quiet masakari==22.0.0 python-openstackclient lxml
