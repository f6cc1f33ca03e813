# A new, empty cloud: schemas, accounts, catalogue, image and flavor, packed into seed.tar.
# Runs the services as the cloud container will; the same files are unpacked here.
tar -xf /build/cloud.tar -C /
export PATH=/opt/openstack/bin:$PATH PASSWORD=testcloud PYTHONWARNINGS=ignore
mariadb-install-db --no-defaults --user=mysql --datadir=/srv/mysql --skip-test-db > /dev/null
svc start mariadb memcached rabbitmq
svc wait mariadb
for database in keystone placement glance neutron nova_api nova nova_cell0; do
  echo "CREATE DATABASE $database;
    GRANT ALL ON $database.* TO '${database%%_*}'@'%' IDENTIFIED BY '$PASSWORD';"
done | mariadb --socket=/run/mysqld/mysqld.sock

keystone_schema() {
  keystone-manage db_sync
  mkdir -p /srv/keystone
  keystone-manage fernet_setup --keystone-user root --keystone-group root
  keystone-manage credential_setup --keystone-user root --keystone-group root
  keystone-manage bootstrap --bootstrap-password "$PASSWORD" --bootstrap-region-id RegionOne \
    --bootstrap-admin-url http://cloud:5000/v3 --bootstrap-internal-url http://cloud:5000/v3 \
    --bootstrap-public-url http://cloud:5000/v3
}
small_schemas() {
  placement-manage db sync
  glance-manage --config-file /etc/glance/glance-api.conf db_sync
}
neutron_schema() { neutron-db-manage --config-file /etc/neutron/neutron.conf upgrade head; }
nova_schema() {
  nova-manage api_db sync
  nova-manage cell_v2 map_cell0 \
    --database_connection "mysql+pymysql://nova:$PASSWORD@cloud/nova_cell0?charset=utf8mb4"
  nova-manage cell_v2 create_cell --name cell1
  nova-manage db sync
}
jobs=()
for part in keystone_schema small_schemas neutron_schema nova_schema; do
  (set -e; "$part") &
  jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job"; done

svc start keystone placement glance neutron nova-api
svc wait rabbitmq keystone placement glance neutron nova-api
python /usr/local/lib/testcloud/catalog.py
svc stop keystone placement glance neutron nova-api memcached rabbitmq mariadb
mkdir -p /var/lib/testcloud
rm -rf /var/log/openstack/* /srv/mysql/*.err
tar -cf /var/lib/testcloud/seed.tar -C /srv keystone glance mysql
