# What classic InstanceHA's fence agents need beside the package that ships them, for the benchmark:
# the modules of all packages that come with it, as one archive for a controller that already runs.
dpkg-query -W -f '${Package}\n' | sort > /tmp/before
apt-get update -qq
apt-get install -y python3-novaclient python3-keystoneclient
apt-get clean
rm -rf /var/lib/apt/lists/*
dpkg-query -W -f '${Package}\n' | sort | comm -13 /tmp/before - > /race-classic.packages
xargs dpkg -L < /race-classic.packages | grep ^/usr/lib/python3/dist-packages/ | sort -u |
  while read -r path; do
    [ -d "$path" ] || echo "$path"
  done | tar -cf /race-classic.tar -T -
