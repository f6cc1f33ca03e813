# What the OpenStack services stand on.
apt-get update -qq
apt-get install -y mariadb-server rabbitmq-server memcached libpython3.11  # the last for uwsgi
apt-get clean
rm -rf /var/lib/apt/lists/* /var/lib/mysql/*
