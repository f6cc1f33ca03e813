# The BMCs of all nodes.
apt-get update -qq
apt-get install -y python3-pyghmi
apt-get clean
rm -rf /var/lib/apt/lists/*
