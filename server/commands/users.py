"""``users add | list | show | passwd | disable | enable | delete``."""

import argparse
import getpass
import os
import sys
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from server.commands.console import (
    CommandError,
    Commands,
    UsageError,
    add_group,
    add_json,
    operator_event,
    show,
    show_table,
    with_store,
)
from server.identity import local, users
from server.identity.allowed import is_allowed
from server.identity.passwords import Passwords, problem
from server.oauth.audit import Event, Kind
from server.oauth.model import User
from server.settings import Settings
from server.storage.database import Database
from server.storage.listings import USER_STATUSES, Row, Selection

_COLUMNS = ("username", "user_id", "name", "email", "created", "open_sessions", "open_grants", "status")

Act = Callable[[Database, Row, int, Event | None], Awaitable[bool]]


def add_to(commands: Commands) -> None:
    """Add the commands to the parser."""
    sub = add_group(commands, "users", "add, list, show, disable, enable and delete users, and set their passwords")
    adding = sub.add_parser("add", help="add a local account", description="Add an account for OAUTH_PROVIDER=local.")
    adding.add_argument("username", metavar="USERNAME", help=users.USERNAME)
    adding.add_argument("--name", metavar="NAME", help="what people will see them called")
    adding.add_argument("--email", metavar="ADDRESS", help="their e-mail address, by which OAUTH_ALLOWED_USERS goes")
    _add_password_options(adding, _add)
    listing = sub.add_parser("list", help="list users", description="List users, newest first.")
    listing.add_argument("--status", choices=USER_STATUSES, help="only those in this state")
    add_json(listing)
    listing.set_defaults(command=_list)
    showing = sub.add_parser("show", help="show one user", description="Show all that is known of one user.")
    showing.add_argument("user", metavar="USER", help="a user's id or username, or an e-mail address or name")
    add_json(showing)
    showing.set_defaults(command=_show)
    changing = sub.add_parser(
        "passwd",
        help="set a password",
        description="Set the password of a local account, which ends its sessions; or make a new link for it.",
    )
    changing.add_argument("user", metavar="USER", help="as for show")
    _add_password_options(changing, _passwd)
    _add_changes(sub)


def _add_changes(sub: Commands) -> None:
    """Add the commands that do one thing to each user who is named."""
    for name, command, description in (
        ("disable", _disable, "Disable users: they cannot sign in, and every call with their tokens is refused."),
        ("enable", _enable, "Let disabled users sign in again; what they had granted is good again, if not over."),
        ("delete", _delete, "Delete users, and all that they had, allowed and granted."),
    ):
        parser = sub.add_parser(name, help=f"{name} users", description=description)
        parser.add_argument("users", metavar="USER", nargs="+", help="as for show")
        add_json(parser)
        parser.set_defaults(command=command)


def _add_password_options(
    parser: argparse.ArgumentParser, command: Callable[[Settings, argparse.Namespace], int]
) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    how.add_argument("--invite", action="store_true", help="print a link by which they choose it, once, in seven days")
    add_json(parser)
    parser.set_defaults(command=command)


def _add(settings: Settings, arguments: argparse.Namespace) -> int:
    name, email = arguments.name, arguments.email
    username = users.normal(arguments.username)
    if not users.is_username(username):
        raise UsageError(f"{arguments.username!r} cannot be a username: it takes {users.USERNAME}")
    if email is not None and not users.is_email(email):
        raise UsageError(f"{email!r} is no e-mail address: it takes {users.EMAIL}")
    if name is not None and (not name.strip() or not name.isprintable()):
        raise UsageError("the name takes characters that can be shown")
    user = User(users.new_id(os.urandom), users.LOCAL, username, name.strip() if name else None, email)
    password = _password(arguments, user)

    async def work(store: Database, now: int) -> str | None:
        token, invitation = local.new_invitation(os.urandom, now) if password is None else (None, None)
        hashed = None if password is None else await Passwords(os.urandom).hash(password)
        if not await store.add_account(user, hashed, now, invitation, _event(settings, now, Kind.USER_ADDED, user)):
            raise CommandError(f"there is a user called {username} already")
        return token

    _show_account(settings, user, with_store(settings, work), as_json=arguments.json)
    return 0


def _passwd(settings: Settings, arguments: argparse.Namespace) -> int:
    async def find(store: Database, _now: int) -> User:
        account = await store.get_account((await _known(store, arguments.user))["user_id"])
        if account is None:
            raise CommandError(f"{arguments.user} has no password here: that is for accounts that `users add` made")
        return account.user

    user = with_store(settings, find)
    password = _password(arguments, user)

    async def work(store: Database, now: int) -> str | None:
        if password is None:
            token, invitation = local.new_invitation(os.urandom, now)
            done = await store.invite(user.user_id, *invitation, now, _event(settings, now, Kind.USER_INVITED, user))
        else:
            token, hashed = None, await Passwords(os.urandom).hash(password)
            event = _event(settings, now, Kind.PASSWORD_CHANGED, user)
            done = await store.set_password(user.user_id, hashed, now, event)
        if not done:
            raise CommandError(f"{arguments.user} was deleted meanwhile")
        return token

    _show_account(settings, user, with_store(settings, work), as_json=arguments.json)
    return 0


def _list(settings: Settings, arguments: argparse.Namespace) -> int:
    rows = with_store(settings, lambda store, _: store.list_users(Selection(status=arguments.status)))
    show_table(rows, _COLUMNS, as_json=arguments.json)
    return 0


def _show(settings: Settings, arguments: argparse.Namespace) -> int:
    async def work(store: Database, now: int) -> Row:
        row = await _known(store, arguments.user)
        applications = await store.list_applications(row["user_id"], now)
        sessions = await store.list_sessions(Selection(user=row["user_id"]))
        return row | {
            "applications": [one.client_name or one.client_id for one in applications],
            "passkeys": [one.name for one in await store.list_passkeys(row["user_id"])],
            "sessions": [one if arguments.json else _session(one) for one in sessions if one["status"] == "live"],
        }

    show(with_store(settings, work), as_json=arguments.json)
    return 0


def _session(row: Row) -> str:
    return f"by {row['method']} from {row['address'] or 'somewhere'} since {row['signed_in']}, used {row['last_used']}"


def _disable(settings: Settings, arguments: argparse.Namespace) -> int:
    async def act(store: Database, row: Row, now: int, event: Event | None) -> bool:
        return await store.set_disabled(row["user_id"], now, event)

    return _change(settings, arguments, "disabled", Kind.USER_DISABLED, act)


def _enable(settings: Settings, arguments: argparse.Namespace) -> int:
    async def act(store: Database, row: Row, _now: int, event: Event | None) -> bool:
        return await store.set_disabled(row["user_id"], None, event)

    return _change(settings, arguments, "enabled", Kind.USER_ENABLED, act)


def _delete(settings: Settings, arguments: argparse.Namespace) -> int:
    async def act(store: Database, row: Row, now: int, event: Event | None) -> bool:
        return await store.delete_user(row["user_id"], now, event)

    return _change(settings, arguments, "deleted", Kind.USER_DELETED, act)


def _change(settings: Settings, arguments: argparse.Namespace, done: str, kind: Kind, act: Act) -> int:
    """Do something to each user that is named, and say to whom it was done."""

    async def work(store: Database, now: int) -> dict[str, list[str]]:
        rows = [await _known(store, wanted) for wanted in arguments.users]
        outcome: dict[str, list[str]] = {done: [], "so_already": []}
        for row in rows:
            user = User(row["user_id"], row["issuer"], row["subject"])
            changed = await act(store, row, now, _event(settings, now, kind, user))
            outcome[done if changed else "so_already"].append(row["user_id"])
        return outcome

    show(with_store(settings, work), as_json=arguments.json)
    return 0


async def _known(store: Database, wanted: str) -> Row:
    """Find the one user that is meant: by id or username, or else by address or name.

    Raises:
        CommandError: There is none, or there are several.
    """
    for selection in (Selection(key=wanted), Selection(key=users.normal(wanted)), Selection(user=wanted)):
        found = await store.list_users(selection)
        if len(found) > 1:
            raise CommandError(f"{wanted} names several users: {', '.join(row['user_id'] for row in found)}")
        if found:
            return found[0]
    raise CommandError(f"there is no such user: {wanted}; `users list` names them all")


def _password(arguments: argparse.Namespace, user: User) -> str | None:
    """Give the password from standard input or the terminal; ``None`` where an invitation is wanted.

    Raises:
        UsageError: There is no terminal.
        CommandError: It was not typed twice the same, or will not do.
    """
    if arguments.invite:
        return None
    if arguments.password_stdin:
        password = _line()
    elif sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Password, again: ") != password:
            raise CommandError("the two passwords differ")
    else:
        raise UsageError("there is no terminal to ask for the password; use --password-stdin or --invite")
    trouble = problem(password, local.about(user))
    if trouble is not None:
        raise CommandError(trouble[0].lower() + trouble[1:].rstrip("."))
    return password


def _line() -> str:
    try:
        password = sys.stdin.readline().rstrip("\r\n")
        password.encode()
    except UnicodeError:
        raise CommandError("the password is not text in this locale's encoding") from None
    return password


def _event(settings: Settings, now: int, kind: Kind, user: User) -> Event | None:
    """Say what the operator did to a user; ``None`` when no audit log is kept."""
    return operator_event(settings, now, kind, users.username(user), user_id=user.user_id)


def _show_account(settings: Settings, user: User, token: str | None, *, as_json: bool) -> None:
    """Print a local account, with its invitation's link if it has one; and why nobody can sign in to it, if so."""
    shown: dict[str, object] = {"user_id": user.user_id, "username": user.subject}
    if token is not None:
        shown["invitation"] = f"{settings.server_url}/invitation?{urlencode({'token': token})}"
    show(shown, as_json=as_json)
    hint = ""
    if settings.oauth_provider != users.LOCAL:
        hint = f"OAUTH_PROVIDER={settings.oauth_provider}: accounts can sign in once it is local"
    elif not is_allowed(user, settings):
        hint = "OAUTH_ALLOWED_USERS does not name this account's address, so it cannot sign in"
    if hint:
        print(f"att-mcp-server: {hint}", file=sys.stderr)  # noqa: T201 - beside the command's output
