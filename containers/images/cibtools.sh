# What the configuration is rehearsed with: a controller's tools, and the second shell that people use.
apt-get update -qq
apt-get install -y crmsh
apt-get clean
rm -rf /var/lib/apt/lists/*
