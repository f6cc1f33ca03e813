# Masakari with the driver of the cloud's database, for the benchmark.
/opt/masakari/bin/pip install --quiet PyMySQL
