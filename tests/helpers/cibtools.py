"""Commands in a container with Pacemaker's tools, pcs and crmsh."""

from testcloud import docker


class Tools:
    """Runs commands in the container."""

    def __init__(self, container: str) -> None:
        """Know its name."""
        self.container = container

    def sh(self, script: str, **files: str) -> str:
        """Run a script in a folder with these files, `a_b` as a.b; returns its output."""
        folder = "tmp/cib"
        content = [
            docker.File(f"{folder}/{name.replace('_', '.')}", text.encode())
            for name, text in files.items()
        ]
        docker.copy_in(self.container, content)
        argv = ("bash", "-c", f"set -e; mkdir -p /{folder}; cd /{folder}; {script}")
        return docker.execute(self.container, argv, timeout_s=300.0).out
