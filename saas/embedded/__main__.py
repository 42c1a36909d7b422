"""`python -m saas.embedded up|stop|status|reset`: what `make demo`, `make stop` and `make reset` call."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from saas.embedded import state
from saas.embedded.environment import PREFERRED_WEB_PORTS
from saas.embedded.folders import CHECKOUT, stack_folder
from saas.embedded.parts import manage
from saas.embedded.processes import StackError, last_lines
from saas.embedded.records import Ports, read_json
from saas.embedded.services import prepare, remove

_STOP_SECONDS = 120.0
_REAL_SERVERS = ("DATABASE_URL", "OWNER_DATABASE_URL", "VAULT_ADDR", "S3_ENDPOINT_URL")
_STEPS = {
    "leftovers": "清理上次遗留的进程 / ending what was left running",
    "fonts": "准备公文字体 / document fonts (first time: about 100 MB from the distribution)",
    "postgresql": "启动数据库 / PostgreSQL",
    "openbao": "启动密钥服务 / OpenBao",
    "vault_setup": "设置密钥服务 / keys and policies",
    "migrations": "准备数据结构 / migrations",
    "processes": "启动各安全域的进程 / web, jobs and agents of every zone",
    "bureaus": "升级各单位的数据结构 / migrating the bureaus",
    "demo": "建立演示单位与公文 / demo bureaus, people and documents",
}


_ADDRESSES = (
    ("intranet", "内网 intranet  ", ("<bureau>.localhost",)),
    ("extranet", "外网 extranet  ", ("<bureau>.ext.localhost",)),
    ("management", "管理 management", ("ops.localhost", "security.localhost")),
)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def up() -> None:
    """Start the stack if it does not run, wait until it answers, print addresses and sign-ins."""
    named = [name for name in _REAL_SERVERS if os.environ.get(name)]
    if named:
        message = (
            f"环境变量 {', '.join(named)} 指向真实的服务器，不启动自带的演示环境；要启动演示，请先清除这些变量。\n"
            f"{', '.join(named)}: real servers are named, so nothing embedded is started. Unset them for the demo, "
            "or use manage.py check --deploy and gunicorn as README.md says."
        )
        raise StackError(message)
    folder = stack_folder()
    prepare(folder)
    if not state.supervisor_pid(folder):
        _start(folder)
    _wait(folder)
    _show(folder)


def _start(folder: Path) -> None:
    (folder / state.STATE).unlink(missing_ok=True)
    log = folder / "log" / "supervisor.log"
    with log.open("ab") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "saas.embedded", "supervise"],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "YUNSHU_FOLDER": str(folder)},
        )
    while not state.supervisor_pid(folder):
        if supervisor.poll() is not None:
            raise StackError(state.read(folder).error or last_lines(log))
        time.sleep(0.02)


def _wait(folder: Path) -> None:
    shown, since = "", time.monotonic()
    try:
        while True:
            present = state.read(folder)
            if present.step and present.step != shown:
                shown = present.step
                _say(f"  [{time.monotonic() - since:5.1f} s] {_STEPS.get(shown, shown)}")
            if present.ready:
                return
            if not state.supervisor_pid(folder):
                raise StackError(state.read(folder).error or last_lines(folder / "log" / "supervisor.log"))
            time.sleep(0.1)
    except KeyboardInterrupt:
        stop()
        raise


def _show(folder: Path) -> None:
    ports = Ports(folder / "ports.json")
    _say("\n云署已启动 / the cloud is up:")
    for zone, title, hosts in _ADDRESSES:
        port = ports.known(f"web.{zone}")
        note = "" if port == PREFERRED_WEB_PORTS[zone] else f"  ({PREFERRED_WEB_PORTS[zone]} was taken)"
        _say(f"  {title}  " + "  ".join(f"http://{host}:{port}/" for host in hosts) + note)
    if any(CHECKOUT.glob("*/**/management/commands/demo_signins.py")):
        environment = {**os.environ, "ZONE": "intranet", "YUNSHU_FOLDER": str(folder)}
        subprocess.run(manage("demo_signins"), cwd=CHECKOUT, env=environment, check=False)
    _say("\n停止 / stop: make stop        日志 / logs: .yunshu/log/")


def stop() -> None:
    """Stop the stack and wait until nothing of it runs."""
    folder = stack_folder()
    pid = state.supervisor_pid(folder)
    if not pid:
        _say("没有在运行 / not running")
        return
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + _STOP_SECONDS
    while state.supervisor_pid(folder):
        if time.monotonic() > until:
            message = f"the supervisor (process {pid}) does not end; see {folder / 'log' / 'supervisor.log'}"
            raise StackError(message)
        time.sleep(0.05)
    _say("已停止 / stopped")


def status() -> None:
    """Print what runs."""
    folder = stack_folder()
    pid = state.supervisor_pid(folder)
    if not pid:
        _say("没有在运行 / not running")
        sys.exit(3)
    present = state.read(folder)
    _say(f"supervisor: process {pid}, {'ready' if present.ready else present.step}")
    for name, text in (present.parts or {}).items():
        _say(f"  {name:22} {text}")
    for name, steps in read_json(folder / "timings.json").items():
        _say(f"  start ({name}): " + ", ".join(f"{step} {seconds} s" for step, seconds in steps.items()))


def reset() -> None:
    """Stop the stack and delete all of its data."""
    folder = stack_folder()
    if state.supervisor_pid(folder):
        stop()
    if folder.exists():
        remove(folder)
    _say("已清空 / all data of the embedded stack is deleted")


def supervise() -> None:
    """Be the supervisor (called by `up`)."""
    from saas.embedded.supervisor import main

    main(stack_folder())


COMMANDS: dict[str, Callable[[], None]] = {
    "up": up,
    "stop": stop,
    "status": status,
    "reset": reset,
    "supervise": supervise,
}


def run() -> None:
    """Carry out the command of the command line."""
    command = COMMANDS.get(sys.argv[1]) if len(sys.argv) == 2 else None
    if command is None:
        sys.exit("usage: python -m saas.embedded up|stop|status|reset")
    try:
        command()
    except StackError as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    run()
