# What the OpenStack services stand on.
apt-get update -qq
apt-get install -y mariadb-server rabbitmq-server memcached
apt-get clean
rm -rf /var/lib/apt/lists/* /var/lib/mysql/*
